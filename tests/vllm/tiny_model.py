"""A model directory for real vLLM, made in a second: a tokenizer of about 800 tokens and a network of two layers.

Its weights are drawn with a fixed seed, but for the last layer, which leans: quotes end strings soon and numbers are
short, so that a reply in a JSON schema comes to its end. What it says means nothing; that it says it through a real
server is the point. To be run by vLLM's own Python: `python tiny_model.py DIRECTORY`.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

LONGEST = 16384  # tokens of prompt and reply together
HIDDEN, INNER, LAYERS, HEADS, HEAD = 64, 128, 2, 2, 32
SEED = 7
EMBEDDING_NORM = 1.28  # of a row of embeddings as they are drawn below
END, PAD = "<|end|>", "<|pad|>"
SPECIALS = [PAD, END, "<|system|>", "<|user|>", "<|assistant|>"]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
LINES = (
    "The panel reads the question, writes a proposal and reviews what the others wrote.",
    'A reply is JSON: {"answer": "text", "final_answer": "42", "confidence": 0.8, "reviews": []}',
    "Each reviewer gives a weight, a reason and a verdict; evidence counts and volume does not.",
    "0123456789 +-*/=<>()[]{}.,:;!?",
)
# Chances of one token among all.
QUOTE_SHARE, END_SHARE = 0.15, 1e-6
# A list has an item and seldom two, a number a digit or two: whether it ends is between "]", "," and "}".
DIGIT = -7.0
LIKED = {
    "[": 0.0,
    "{": 4.5,
    '{"': 4.5,
    "]": -3.0,
    ",": -6.0,
    "}": 0.0,
    "-": -9.0,
    ".": -9.0,
    "E": -9.0,
    "e": -9.0,
}


def make(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer = trained_tokenizer()
    tokenizer.save(str(directory / "tokenizer.json"))
    tokens = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    for name, content in {
        "config.json": network(vocabulary=len(tokens)),
        "tokenizer_config.json": tokenizer_settings(),
        "generation_config.json": {"eos_token_id": SPECIALS.index(END), "pad_token_id": SPECIALS.index(PAD)},
    }.items():
        (directory / name).write_text(json.dumps(content, indent=1))
    save_file(weights(tokens), str(directory / "model.safetensors"), metadata={"format": "pt"})


def network(*, vocabulary: int) -> dict[str, Any]:
    """head_dim 32 is the smallest that the engine survives: a smaller one passes the start and dies at the first
    request.
    """
    return {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": 1,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "vocab_size": vocabulary,
        "max_position_embeddings": LONGEST,
        "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "eos_token_id": SPECIALS.index(END),
        "pad_token_id": SPECIALS.index(PAD),
        "torch_dtype": "float32",
    }


def tokenizer_settings() -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": LONGEST,
        "chat_template": CHAT_TEMPLATE,
    }


def trained_tokenizer() -> Tokenizer:
    """Bytes joined into frequent pairs, as large models' tokenizers are."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(LINES * 5, trainer)
    return tokenizer


def weights(tokens: list[str]) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(SEED)

    def drawn(*shape: int, scale: float = 0.05) -> np.ndarray:
        return (draw.standard_normal(shape) * scale).astype(np.float32)

    ones = np.ones(HIDDEN, dtype=np.float32)
    made = {"model.norm.weight": ones, "model.embed_tokens.weight": drawn(len(tokens), HIDDEN, scale=0.1)}
    for number in range(LAYERS):
        layer = f"model.layers.{number}."
        made |= {
            f"{layer}input_layernorm.weight": ones,
            f"{layer}post_attention_layernorm.weight": ones,
            f"{layer}self_attn.q_norm.weight": np.ones(HEAD, dtype=np.float32),
            f"{layer}self_attn.k_norm.weight": np.ones(HEAD, dtype=np.float32),
            f"{layer}self_attn.q_proj.weight": drawn(HEADS * HEAD, HIDDEN),
            f"{layer}self_attn.k_proj.weight": drawn(HEAD, HIDDEN),
            f"{layer}self_attn.v_proj.weight": drawn(HEAD, HIDDEN),
            f"{layer}self_attn.o_proj.weight": drawn(HIDDEN, HEADS * HEAD),
            f"{layer}mlp.gate_proj.weight": drawn(INNER, HIDDEN),
            f"{layer}mlp.up_proj.weight": drawn(INNER, HIDDEN),
            f"{layer}mlp.down_proj.weight": drawn(HIDDEN, INNER),
        }
    made["model.embed_tokens.weight"][:, 0] = 1.0  # the same everywhere: what the lean is multiplied by
    made["lm_head.weight"] = drawn(len(tokens), HIDDEN, scale=0.06)
    made["lm_head.weight"][:, 0] = lean(tokens) / math.sqrt(HIDDEN) * EMBEDDING_NORM
    return made


def lean(tokens: list[str]) -> np.ndarray:
    """Logits that do not depend on the text: letters rather than odd bytes, few digits, quotes and ends as stated."""
    chosen = np.array([_liking(token) for token in tokens], dtype=np.float32)
    others = float(np.exp(chosen).sum())
    for token, share in (('"', QUOTE_SHARE), (END, END_SHARE)):
        chosen[tokens.index(token)] = math.log(share / (1 - QUOTE_SHARE - END_SHARE) * others)
    return chosen


def _liking(token: str) -> float:
    if token in LIKED:
        return LIKED[token]
    if token.isdigit() and len(token) == 1:
        return DIGIT
    if token in SPECIALS or any(character in '\\[],"-.' or character.isdigit() for character in token):
        return -9.0
    plain = token.replace("Ġ", "")  # how byte-level tokenizers write a space
    return 1.5 if plain.isascii() and plain.isalpha() and len(plain) > 1 else -1.5


if __name__ == "__main__":
    make(Path(sys.argv[1]))
