"""Makes model/ and steps.json, after.safetensors beside this script: two AdamW steps of a tiny LLaVA-OneVision.

    python3 -m venv venv && venv/bin/pip install torch transformers safetensors
    venv/bin/python make_training_golden.py

model/ is the model before the first step (f32). steps.json holds the batch, and of each step the loss, the
norm of every gradient and the norm of all of them; after.safetensors the parameters after the second step.
Pixel k of all tiles laid end to end is ((k * 7919) % 511) / 255 - 1. Each branch runs as a sequence of its own;
the loss is the mean of -log p over target tokens, by the weight of the branch. Matrices decay, vectors do not.
"""
import importlib.util
import json
import os

# torchvision is not needed, and a build for another torch would stop the import of transformers.
_find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name.split(".")[0] == "torchvision" else _find_spec(name, *a)

import torch
import transformers
from transformers import LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration

here = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(7)
torch.set_num_threads(1)
SIZE, IMAGE, VIDEO, VOCABULARY = 13, 38, 39, 40

config = LlavaOnevisionConfig(
    image_grid_pinpoints=[[13, 26], [26, 13], [26, 26], [13, 39]],
    vision_aspect_ratio="anyres_max_2",
    image_token_index=IMAGE, video_token_index=VIDEO, image_token_id=IMAGE, video_token_id=VIDEO,
    vision_feature_layer=-1, vision_feature_select_strategy="full", tie_word_embeddings=False,
    vision_config=dict(
        model_type="siglip_vision_model", hidden_size=16, intermediate_size=28, num_hidden_layers=2,
        num_attention_heads=2, image_size=SIZE, patch_size=3, vision_use_head=False),
    text_config=dict(
        model_type="qwen2", hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=6, vocab_size=VOCABULARY, max_position_embeddings=512,
        rms_norm_eps=1e-6, rope_theta=10000.0, tie_word_embeddings=False, bos_token_id=0, eos_token_id=1,
        pad_token_id=0))
config._attn_implementation = "eager"
model = LlavaOnevisionForConditionalGeneration(config).float().train()
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            parameter.copy_((torch.rand_like(parameter) * 2 - 1) * 1.5 / parameter[0].numel() ** 0.5)
        else:
            parameter.copy_((torch.rand_like(parameter) * 2 - 1) * 0.3 + (1 if "norm" in name and "weight" in name else 0))
model.save_pretrained(os.path.join(here, "model"))

tiles = torch.tensor([((k * 7919) % 511) for k in range(8 * 3 * SIZE * SIZE)], dtype=torch.float64)
tiles = (tiles / 255 - 1).float().view(8, 3, SIZE, SIZE)
# A picture 50 wide and 19 high on a grid of 1 x 3 tiles, a pair of padded squares, a video of three frames.
sequences = [
    dict(before=[1, 2], images=[[0, 1, 2, 3]], size=[19, 50], after=[3], branches=[
        dict(tokens=[5, 9, 11, 7], targets=[-1, 11, 7, 30], weight=1.0),
        dict(tokens=[6, 2, 31], targets=[-1, -1, 17], weight=0.5)]),
    dict(before=[4], images=[[4], [5]], size=None, after=[8, 8], branches=[
        dict(tokens=[10, 12, 13, 14, 15], targets=[12, -1, 14, 15, 20], weight=2.0)]),
    dict(before=[], images=[[6, 7, 6]], size="video", after=[21], branches=[
        dict(tokens=[22, 23], targets=[-1, 24], weight=1.0)]),
]


def saved_name(name):
    """The name of a parameter in published checkpoints."""
    for inside, outside in (
            ("model.vision_tower.", "vision_tower.vision_model."), ("model.language_model.", "language_model.model."),
            ("lm_head.", "language_model.lm_head."), ("model.", "")):
        if name.startswith(inside):
            return outside + name[len(inside):]
    return name


def branch_losses(sequence, branch):
    """-log p of each target of a branch."""
    frames = [torch.stack([tiles[t] for t in image]) for image in sequence["images"]]
    arguments = {}
    if sequence["size"] == "video":
        arguments["pixel_values_videos"] = frames[0][None]
        pooled = ((SIZE // 3) + 1) // 2
        middle = [VIDEO] * (len(frames[0]) * pooled * pooled + 1)
    elif sequence["size"] is None:
        arguments["pixel_values"] = torch.stack(frames)
        arguments["image_sizes"] = torch.tensor([[SIZE, SIZE]] * len(frames))
        arguments["batch_num_images"] = torch.tensor([len(frames)])
        middle = [IMAGE] * (len(frames) * ((SIZE // 3) ** 2 + 1))
    else:
        arguments["pixel_values"] = frames[0][None]
        arguments["image_sizes"] = torch.tensor([sequence["size"]])
        features = model.get_image_features(**arguments).pooler_output
        middle = [IMAGE] * len(features[0])
    ids = sequence["before"] + middle + sequence["after"]
    start = len(ids)
    output = model(input_ids=torch.tensor([ids + branch["tokens"]]), use_cache=False, **arguments)
    logs = torch.log_softmax(output.logits[0, start:], dim=-1)
    return [-logs[row, target] for row, target in enumerate(branch["targets"]) if target >= 0]


decay = [p for p in model.parameters() if p.dim() > 1]
plain = [p for p in model.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [dict(params=decay, weight_decay=0.1), dict(params=plain, weight_decay=0.0)],
    lr=1e-2, betas=(0.9, 0.95), eps=1e-4)
steps = []
for rate in (1e-2, 5e-3):
    optimizer.zero_grad(set_to_none=False)
    total, weight, losses = 0.0, 0.0, []
    for sequence in sequences:
        for branch in sequence["branches"]:
            each = branch_losses(sequence, branch)
            losses.append(sum(each).item() / len(each))
            total = total + branch["weight"] * sum(each)
            weight += branch["weight"] * len(each)
    loss = total / weight
    loss.backward()
    norms = {
        saved_name(key): 0.0 if value.grad is None else float(value.grad.norm())
        for key, value in model.named_parameters()}
    norm = float(torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5))
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    steps.append(dict(rate=rate, loss=loss.item(), branch_losses=losses, norm=norm, norms=norms))

model.save_pretrained(os.path.join(here, "after"))
os.replace(os.path.join(here, "after", "model.safetensors"), os.path.join(here, "after.safetensors"))
for name in os.listdir(os.path.join(here, "after")):
    os.remove(os.path.join(here, "after", name))
os.rmdir(os.path.join(here, "after"))
json.dump(
    dict(torch=torch.__version__, transformers=transformers.__version__, sequences=sequences, steps=steps),
    open(os.path.join(here, "steps.json"), "w"), indent=1)
print(torch.__version__, transformers.__version__, [step["loss"] for step in steps], [step["norm"] for step in steps])
