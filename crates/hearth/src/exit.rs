//! How the program ends. `hearth verify` has its own meanings for 0 to 3 (see `hearth verify --help`).
use std::process::ExitCode;

/// An exit code that scripts may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It worked; the answer is yes.
    Ok = 0,
    /// It worked; the answer is no (not ready, not as expected).
    No = 1,
    /// The input or the command line is wrong.
    Input = 2,
    /// Something needed is not there: models, network, a program.
    Missing = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
