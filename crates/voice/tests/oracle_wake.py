#!/usr/bin/env python3
"""What pymicro-wakeword and pymicro-features say about a sound: the oracle of the wake word.

Needs the PyPI packages pymicro-wakeword==2.5.0 (which brings pymicro-features and numpy).

oracle_wake.py MODEL.tflite IN.wav|IN.s16 OUT.txt
  OUT.txt: one line `f` with 40 integers per feature vector (in units of 10/256),
  one line `p` with the probability times 256 per inference.
  IN: 16 kHz mono, 16 bit, or `synthetic`: the signal of `wake_equals_the_reference.rs`.

The fixture: oracle_wake.py alexa.tflite synthetic fixtures/wake_synthetic.txt
Other sounds: run the example `wake_oracle` with the same arguments and compare the two files; they must be equal.
"""
import struct
import sys
import wave
from pathlib import Path

import numpy as np
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures
import pymicro_wakeword


def synthetic() -> bytes:
    """Noise soft and loud, pulses, a sweep, extremes, silence; half a second each, by integers only."""
    samples, state, phase = [], 1, 0
    for i in range(48000):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        noise = state >> 16
        noise = noise - 65536 if noise >= 32768 else noise
        within = i % 8000
        phase = (phase + 200 + within) & 0xFFFF
        samples.append(
            [
                noise >> 6,
                noise >> 2,
                20000 if i % (80 + within // 200) == 0 else noise >> 8,
                abs(phase - 32768) - 16384,
                32767 if noise >= 0 else -32768,
                0,
            ][i // 8000]
        )
    return struct.pack("<48000h", *samples)


def sound(path: str) -> bytes:
    if path == "synthetic":
        return synthetic()
    if path.endswith(".wav"):
        with wave.open(path) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2), path
            return file.readframes(file.getnframes())
    return Path(path).read_bytes()


def main(model: str, source: str, out: str) -> None:
    library = next((Path(pymicro_wakeword.__file__).parent / "lib").glob("*tensorflowlite_c.*"))
    word = MicroWakeWord(
        id="oracle",
        wake_word="oracle",
        tflite_model=model,
        probability_cutoff=0.9,
        sliding_window_size=1,
        trained_languages=[],
        libtensorflowlite_c_path=library,
    )
    features = MicroWakeWordFeatures()
    with open(out, "w", encoding="ascii") as file:
        count = 0
        for vector in features.process_streaming(sound(source)):
            exact = vector.reshape(-1) * 25.6
            whole = np.round(exact).astype(int)
            assert np.abs(exact - whole).max() < 1e-3
            print("f", *whole, file=file)
            probability = word.process_streaming_prob(vector)
            count += 1
            if count % word.stride == 0:
                print("p", round(probability * 256), file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
