"""Makes <family>/other and <family>/other-golden: a second tiny Qwen-VL model of other dimensions, and its cases.

    python3 -m venv venv && venv/bin/pip install torch torchvision "transformers==4.57.6" "pillow<13" numpy safetensors
    venv/bin/python make_qwen_goldens.py [--real DIRECTORY]

Weights are random, stored as f16 (Qwen2.5-VL) and bf16 (Qwen3-VL); arithmetic is f32. Tokenizer and chat template are
those of <family>/hf-bf16. Unlike the cases beside it these come from transformers 4.57.6, whose rules for clips are the
engine's default, and pictures of Qwen3-VL from the fast processor. --real writes models of the published towers' and
decoders' widths, two blocks deep, for a check by hand.
"""
import json, os, shutil, sys
import numpy as np, torch
from PIL import Image
from safetensors.torch import save_file
from transformers import (AutoTokenizer, Qwen2VLImageProcessor, Qwen2VLImageProcessorFast, Qwen2_5_VLConfig,
                          Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor, Qwen3VLConfig,
                          Qwen3VLForConditionalGeneration, Qwen3VLProcessor)
from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

goldens = os.path.dirname(os.path.abspath(__file__))
real = sys.argv[sys.argv.index("--real") + 1] if "--real" in sys.argv else None
IDS = dict(image_token_id=974, video_token_id=975, vision_start_token_id=971, vision_end_token_id=972)
CLIP = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
HALF = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)


def qwen25():
    text = dict(hidden_size=96, intermediate_size=72, num_hidden_layers=2, num_attention_heads=6,
                num_key_value_heads=3, rope_scaling=dict(type="mrope", mrope_section=[2, 3, 3]), rope_theta=20000.0)
    vision = dict(hidden_size=64, out_hidden_size=96, num_heads=4, depth=3, intermediate_size=52, window_size=56,
                  fullatt_block_indexes=[2], tokens_per_second=4)
    if real:
        text = dict(hidden_size=2048, intermediate_size=11008, num_hidden_layers=2, num_attention_heads=16,
                    num_key_value_heads=2, rope_scaling=dict(type="mrope", mrope_section=[16, 24, 24]))
        vision = dict(hidden_size=1280, out_hidden_size=2048, num_heads=16, depth=2, intermediate_size=3420,
                      window_size=112, fullatt_block_indexes=[1], tokens_per_second=2)
    config = Qwen2_5_VLConfig(text_config=dict(text, vocab_size=1024, rms_norm_eps=1e-5, eos_token_id=964),
                              vision_config=vision, tie_word_embeddings=False, **IDS)
    return Qwen2_5_VLForConditionalGeneration(config), torch.float16


def qwen3():
    text = dict(hidden_size=64, intermediate_size=56, num_hidden_layers=3, num_attention_heads=6,
                num_key_value_heads=2, head_dim=32, rope_theta=50000.0,
                rope_scaling=dict(rope_type="default", mrope_interleaved=True, mrope_section=[6, 5, 5]))
    vision = dict(hidden_size=64, out_hidden_size=64, num_heads=4, depth=3, intermediate_size=60,
                  num_position_embeddings=49, deepstack_visual_indexes=[0, 1])
    if real:
        text = dict(hidden_size=2560, intermediate_size=9728, num_hidden_layers=2, num_attention_heads=32,
                    num_key_value_heads=8, head_dim=128, rope_theta=5000000.0,
                    rope_scaling=dict(rope_type="default", mrope_interleaved=True, mrope_section=[24, 20, 20]))
        vision = dict(hidden_size=1024, out_hidden_size=2560, num_heads=16, depth=2, intermediate_size=4096,
                      num_position_embeddings=2304, deepstack_visual_indexes=[0])
    config = Qwen3VLConfig(text_config=dict(text, vocab_size=1024, eos_token_id=964), vision_config=vision,
                           tie_word_embeddings=False, **IDS)
    return Qwen3VLForConditionalGeneration(config), torch.bfloat16


def liven(model, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, weight in model.named_parameters():
        noise = torch.randn(weight.shape, generator=generator)
        scale = 0.2 if weight.ndim == 1 else 1.5 / max(weight[0].numel(), 1) ** 0.5
        if "embed" in name and weight.ndim == 2:
            scale = 1.0
        value = noise * scale + (1 if weight.ndim == 1 and "norm" in name and name.endswith("weight") else 0)
        weight.data = value.to(dtype).float()
    return model.eval()


def processor(family, directory):
    tokenizer = AutoTokenizer.from_pretrained(directory)
    template = json.load(open(f"{directory}/chat_template.json"))["chat_template"]
    if family == "qwen2_5_vl":
        image = Qwen2VLImageProcessor(min_pixels=3136, max_pixels=100352, **CLIP)
        video = Qwen2VLVideoProcessor(size=dict(shortest_edge=3136, longest_edge=25088), do_sample_frames=False, **CLIP)
        return Qwen2_5_VLProcessor(image, tokenizer, video, chat_template=template)
    image = Qwen2VLImageProcessorFast(size=dict(shortest_edge=4096, longest_edge=131072), patch_size=16, **HALF)
    video = Qwen3VLVideoProcessor(size=dict(shortest_edge=4096, longest_edge=65536), do_sample_frames=False, **HALF)
    return Qwen3VLProcessor(image, tokenizer, video, chat_template=template)


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, separators=(",", ":"))
        file.write("\n")


def sample(tensors, key, values):
    flat = values.float().reshape(-1)
    chosen = np.sort(np.random.default_rng(3).choice(flat.numel(), 1024, replace=False)).astype(np.int64)
    tensors[key + "_idx"], tensors[key + "_val"] = torch.from_numpy(chosen), flat[torch.from_numpy(chosen)].clone()


CASES = {
    "wide": (["wide_310x35.png"], [], "Is it a wide picture?"),
    "three": (["grad_230x150.png", "wide_310x35.png", "tall_61x187.png"], [], "Which of the three is better?"),
    "clip5": ([], [f"frame_{i}_128x96.png" for i in (0, 2, 3, 5, 7)], "Does it move?"),
    "both": (["tall_61x187.png"], [f"frame_{i}_128x96.png" for i in range(6)], "Does the clip show the picture?"),
}
RATE = {"clip5": 0.5, "both": 4.0}

wide = np.add.outer(np.arange(35) * 7, np.arange(310) * 3)[..., None] + np.array([0, 60, 120])
wide = (wide + np.random.default_rng(5).integers(0, 40, wide.shape)) % 256
Image.fromarray(wide.astype(np.uint8)).save(f"{goldens}/media/wide_310x35.png")
for family, make, seed in (("qwen2_5_vl", qwen25, 11), ("qwen3_vl", qwen3, 12)):
    out, cases = (f"{real or goldens}/{family}/{name}" for name in ("other", "other-golden"))
    os.makedirs(out, exist_ok=True)
    os.makedirs(cases, exist_ok=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.json", "generation_config.json"):
        shutil.copy(f"{goldens}/{family}/hf-bf16/{name}", out)
    torch.manual_seed(seed)
    model, dtype = make()
    liven(model, dtype, seed)
    save_file({k: v.to(dtype).contiguous() for k, v in model.state_dict().items()}, f"{out}/model.safetensors")
    write_json(f"{out}/config.json", dict(model.config.to_diff_dict(), architectures=[type(model).__name__]))
    handler = processor(family, out)
    for part, name in ((handler.image_processor, "preprocessor"), (handler.video_processor, "video_preprocessor")):
        keys = ("min_pixels", "max_pixels", "size", "patch_size", "merge_size", "temporal_patch_size", "image_mean",
                "image_std", "image_processor_type", "video_processor_type")
        fields = {k: v for k, v in part.to_dict().items() if k in keys and v is not None}
        write_json(f"{out}/{name}_config.json", fields)
    for case, (images, frames, question) in CASES.items():
        content = [dict(type="image")] * len(images) + [dict(type="video")] * bool(frames)
        messages = [dict(role="user", content=content + [dict(type="text", text=question)])]
        prompt = handler.apply_chat_template(messages, add_generation_prompt=True)
        pictures = [Image.open(f"{goldens}/media/{name}").convert("RGB") for name in images]
        shown = [np.array(Image.open(f"{goldens}/media/{name}").convert("RGB")) for name in frames]
        rate, extra = RATE.get(case), {}
        if shown:
            extra = dict(videos=[np.stack(shown)], do_sample_frames=False)
            extra["video_metadata"] = [dict(fps=rate, total_num_frames=len(shown), duration=len(shown) / rate,
                                            frames_indices=list(range(len(shown))))]
            if family == "qwen2_5_vl":
                extra["fps"] = rate
        inputs = handler(text=[prompt], images=pictures or None, return_tensors="pt", **extra)
        inputs.pop("mm_token_type_ids", None)
        places = dict(input_ids=inputs["input_ids"], image_grid_thw=inputs.get("image_grid_thw"),
                      video_grid_thw=inputs.get("video_grid_thw"), attention_mask=inputs["attention_mask"])
        if "second_per_grid_ts" in inputs:
            places["second_per_grid_ts"] = inputs["second_per_grid_ts"]
        with torch.no_grad():
            positions, delta = model.model.get_rope_index(**places)
            logits = model(**inputs).logits[0]
            model.model.rope_deltas = None
            written = model.generate(**inputs, do_sample=False, max_new_tokens=16, min_new_tokens=16,
                                     repetition_penalty=1.0, output_logits=True, return_dict_in_generate=True)
            model.model.rope_deltas = None
        steps = torch.stack(written.logits)[:, 0]
        best = steps.topk(2).values
        columns = torch.arange(7, 1024, 64)
        # The end of the turn may not be written: the reference masks it, so it must not be the greatest anyway.
        ids = written.sequences[0, -16:]
        assert torch.equal(ids, steps.argmax(-1)), "an end of turn among the greedy tokens: take another seed"
        tensors = dict(position_ids=positions[:, 0].contiguous(), logits_last=logits[-1].clone(),
                       logits_cols_idx=columns, logits_cols=logits[:, columns].contiguous(),
                       gen_logits_cols=steps[:, columns].contiguous())
        for key, name in (("pixel_values", "pixel_sample"), ("pixel_values_videos", "video_pixel_sample")):
            if key in inputs:
                sample(tensors, name, inputs[key])
        save_file(tensors, f"{cases}/{case}.safetensors")
        write_json(f"{cases}/{case}.json", dict(
            case=case, family=family, messages=messages, prompt=prompt, images=images, video_frames=frames,
            video_metadata=dict(fps=rate) if rate else None, do_sample_frames=False,
            prompt_form="transformers 4.57.6", input_ids=inputs["input_ids"][0].tolist(),
            expanded_prompt=handler.tokenizer.decode(inputs["input_ids"][0]),
            pixel_backend="pil" if family == "qwen2_5_vl" else "torchvision", gen_ids=ids.tolist(),
            gen_margins=(best[:, 0] - best[:, 1]).tolist()))
        print(family, case, tuple(logits.shape), f"std {logits.std():.2f}", f"margin {(best[:, 0] - best[:, 1]).min():.3f}")
