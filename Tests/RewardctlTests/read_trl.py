"""Reads an export of format trl as TRL's trainer of preferences does: every row through its collator.

Usage: read_trl.py EXPORT PROCESSOR. PROCESSOR is a directory with the tokenizer and the image processor of
any vision-language model. Prints, for each row, the chosen and the rejected answer as the trainer sees them.
"""
import sys

from datasets import load_dataset
from PIL import Image
from transformers import AutoProcessor
from trl.data_utils import is_conversational
from trl.trainer.dpo_trainer import DataCollatorForVisionPreference

export, source = sys.argv[1:]
processor = AutoProcessor.from_pretrained(source)
if processor.tokenizer.pad_token_id is None:
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
rows = []
for row in load_dataset("json", data_files=f"{export}/train.jsonl", split="train"):
    assert is_conversational(row), row
    assert row["score_chosen"] - row["score_rejected"] == row["margin"], row
    rows.append(dict(row, images=[Image.open(f"{export}/{name}") for name in row["images"]]))
batch = DataCollatorForVisionPreference(processor)(rows)
assert len(batch["input_ids"]) == 2 * len(rows), batch["input_ids"].shape
assert batch["pixel_values"].abs().sum() > 0
# The chosen answers come first, then the rejected ones.
for ids, mask in zip(batch["input_ids"], batch["completion_mask"]):
    print(processor.tokenizer.decode(ids[mask.bool()], skip_special_tokens=True).strip())
