#!/usr/bin/env python3
"""Writes a tiny language model of random weights as GGUF, for a real server to be tested with.

    python3 -m venv /tmp/chat && /tmp/chat/bin/pip install gguf 'llama-cpp-python[server]'
    /tmp/chat/bin/python Tests/Goldens/make_chat_model.py /tmp/chat/tiny.gguf
    /tmp/chat/bin/python -m llama_cpp.server --model /tmp/chat/tiny.gguf --model_alias tiny \
        --logits_all true --n_ctx 1024 --port 8000
    REWARDD_TEST_CHAT_SERVER=http://127.0.0.1:8000/v1 swift test --filter RealServerTests

Architecture llama, two layers of 64; a tokenizer of bytes, so that every text has tokens; ChatML. The weights
follow from the seed: the same file every time.
"""
import sys

import gguf
import numpy

WIDTH, HEADS, HIDDEN, LAYERS, CONTEXT = 64, 4, 128, 2, 1024
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tokens():
    """Texts, scores and types, as SentencePiece models have them."""
    control, byte, normal, unknown = 3, 6, 1, 2
    rows = [("<unk>", 0.0, unknown), ("<s>", 0.0, control), ("</s>", 0.0, control)]
    rows += [(f"<0x{value:02X}>", 0.0, byte) for value in range(256)]
    rows += [("<|im_start|>", 0.0, control), ("<|im_end|>", 0.0, control), ("\u2581", -1.0, normal)]
    rows += [(chr(code), -2.0 - code / 100, normal) for code in range(0x21, 0x7F)]
    return rows


def main(path):
    random = numpy.random.default_rng(7)

    def weights(*shape):
        return (random.standard_normal(shape) / numpy.sqrt(shape[-1])).astype(numpy.float32)

    rows = tokens()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(rows))
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _, _ in rows])
    writer.add_token_scores([score for _, score, _ in rows])
    writer.add_token_types([kind for _, _, kind in rows])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)
    writer.add_tensor("token_embd.weight", weights(len(rows), WIDTH))
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    writer.add_tensor("output.weight", weights(len(rows), WIDTH) * 4)
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{name}{norm}.weight", numpy.ones(WIDTH, numpy.float32))
        for matrix in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{name}{matrix}.weight", weights(WIDTH, WIDTH))
        writer.add_tensor(f"{name}ffn_gate.weight", weights(HIDDEN, WIDTH))
        writer.add_tensor(f"{name}ffn_up.weight", weights(HIDDEN, WIDTH))
        writer.add_tensor(f"{name}ffn_down.weight", weights(WIDTH, HIDDEN))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
