//! The model folder: where it is, what is in it, whether it is whole.
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::{ModelFile, PACKAGES, Package, RUNTIME_LIBRARY};
use super::sentences::SENTENCES;

/// Where the models lie: `HEARTH_MODELS`, else `$XDG_DATA_HOME/hearthline/models`, else `~/.local/share/hearthline/models`.
#[derive(Debug, Clone)]
pub(crate) struct ModelFolder {
    root: PathBuf,
}

/// What is known of one package in the folder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum PackageState {
    /// Every file is there (and, where asked, its digest is right).
    Complete,
    /// Not installed.
    Missing,
    /// A file is absent, has the wrong size or the wrong digest.
    Damaged {
        /// Name of the file.
        file: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Sizes only: at every start.
    Sizes,
    /// SHA-256 of every byte: after an install and for `models verify`.
    Digests,
}

impl ModelFolder {
    /// Finds the folder by the environment; it need not exist yet.
    ///
    /// # Errors
    /// When neither `HEARTH_MODELS`, `XDG_DATA_HOME` nor `HOME` is set.
    pub(crate) fn locate() -> Result<Self, String> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(root) = set("HEARTH_MODELS") {
            return Ok(Self { root: root.into() });
        }
        let data = set("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| set("HOME").map(|home| Path::new(&home).join(".local/share")))
            .ok_or("no place for the models: set HEARTH_MODELS, XDG_DATA_HOME or HOME")?;
        Ok(Self {
            root: data.join("hearthline/models"),
        })
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Path of ONNX Runtime's library.
    pub(crate) fn runtime_library(&self) -> PathBuf {
        self.root.join(RUNTIME_LIBRARY.0).join(RUNTIME_LIBRARY.1)
    }

    /// Reads one file of one package.
    ///
    /// # Errors
    /// Says which file could not be read and how to mend it.
    pub(crate) fn read(&self, package: &str, file: &str) -> Result<Vec<u8>, String> {
        let folder = PACKAGES
            .iter()
            .chain(SENTENCES)
            .find(|known| known.name == package)
            .map_or_else(|| package.to_owned(), Package::folder);
        let path = self.root.join(folder).join(file);
        std::fs::read(&path).map_err(|error| {
            format!(
                "cannot read model {}: {error}; run `hearth models install`",
                path.display()
            )
        })
    }

    /// Looks at one package.
    pub(crate) fn state(&self, package: &Package, look: Look) -> PackageState {
        let folder = self.root.join(package.folder());
        if !folder.is_dir() {
            return PackageState::Missing;
        }
        for file in package.wheel.files {
            if let Err(why) = check_file(&folder.join(file.name()), file, look) {
                return PackageState::Damaged {
                    file: file.name(),
                    why,
                };
            }
        }
        PackageState::Complete
    }

    /// Those of `packages` that are not complete.
    pub(crate) fn incomplete(
        &self,
        packages: impl IntoIterator<Item = &'static Package>,
        look: Look,
    ) -> Vec<&'static Package> {
        packages
            .into_iter()
            .filter(|package| self.state(package, look) != PackageState::Complete)
            .collect()
    }
}

/// Checks one file's size and, where asked, its digest.
pub(super) fn check_file(path: &Path, file: &ModelFile, look: Look) -> Result<(), String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if found.len() != file.bytes {
        return Err(format!(
            "has {} bytes, should have {}",
            found.len(),
            file.bytes
        ));
    }
    if look == Look::Digests {
        let digest = sha256_of(path).map_err(|error| error.to_string())?;
        if digest != file.sha256 {
            return Err(format!("SHA-256 is {digest}, should be {}", file.sha256));
        }
    }
    Ok(())
}

/// SHA-256 of a file, in lower-case hexadecimal.
pub(super) fn sha256_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
