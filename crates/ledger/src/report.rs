//! What the verifier says: one line for each claim, and an exit status.

use std::fmt;

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Checked and true.
    Holds,
    /// Neither shown nor contradicted by what the checker has.
    Unproven,
    /// No software can show it.
    NotProvable,
    /// Checked and false.
    Fails,
    /// The check could not be made.
    CannotTell,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Unproven => "unproven",
            Self::NotProvable => "not provable",
            Self::Fails => "FAILS",
            Self::CannotTell => "cannot tell",
        })
    }
}

/// One claim of the report. Without words, addresses or numbers of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed, in one word or two.
    pub what: &'static str,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, for a person.
    pub detail: String,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12} {:<12} {}", self.what, self.verdict, self.detail)
    }
}

/// Exit status of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Intact, of a known device, cosigned by enough known witnesses, and bounded in time.
    Witnessed = 0,
    /// Intact, but one of those is missing.
    Unwitnessed = 1,
    /// Something was changed, or contradicts the checker's own anchors.
    Tampered = 2,
    /// Not a bundle that this version can read.
    CannotTell = 3,
}

impl Exit {
    /// The number for the operating system.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// All claims and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// One for each line.
    pub claims: Vec<Claim>,
    /// What it comes to.
    pub exit: Exit,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for claim in &self.claims {
            writeln!(f, "{claim}")?;
        }
        f.write_str(match self.exit {
            Exit::Witnessed => "intact and witnessed",
            Exit::Unwitnessed => {
                "intact, but unwitnessed, without time bounds or of an unknown device"
            }
            Exit::Tampered => "TAMPERED",
            Exit::CannotTell => "cannot tell",
        })
    }
}
