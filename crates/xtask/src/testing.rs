//! The tests. Those that start real programs in real time get one second run, alone, and are named at the end: a
//! stopped or overloaded machine is no fault of theirs, but one that needs it is to be looked at. Everything on a
//! simulated clock must pass at once.
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::step::{cargo, root};

/// The test programs with real programs, sockets and clocks inside: package and target.
const IN_REAL_TIME: [(&str, &str); 12] = [
    ("hearthline-hearth", "the_program"),
    ("hearthline-house", "lights"),
    ("hearthline-hub", "api"),
    ("hearthline-hub", "calls"),
    ("hearthline-hub", "site"),
    ("hearthline-modem", "lines"),
    ("hearthline-music", "music"),
    ("hearthline-pages", "serving"),
    ("hearthline-psap", "drills"),
    ("hearthline-satellite", "on_the_wire"),
    ("hearthline-speaker", "with_others"),
    ("hearthline-transport", "on_the_wire"),
];
/// More than these at once are no accident.
const SECOND_RUNS_MAX: usize = 3;

/// Runs every test of the workspace; what needed a second run is returned, to be told.
pub(crate) fn run() -> Result<Vec<String>, String> {
    let first = attempt(&["test", "--workspace", "--locked", "--no-fail-fast"])?;
    if first.passed {
        return Ok(Vec::new());
    }
    let failed = first.judged()?;
    println!("\n== a second run, of what failed, alone");
    for (package, target) in &first.targets {
        // Of the whole workspace, or it would be built again with fewer features; where another package has a program of
        // that name, it has no such test.
        let mut arguments = vec!["test", "--workspace", "--test", target, "--locked", "--"];
        arguments.extend(["--exact", "--test-threads=1"]);
        arguments.extend(failed.iter().map(String::as_str));
        if !attempt(&arguments)?.passed {
            return Err(format!("{package}, {target}: failed twice"));
        }
    }
    Ok(failed)
}

/// What was told as needing a second run, for those who read the end of a log.
pub(crate) fn tell(twice: &[String]) {
    for name in twice {
        println!("LOOK AT: {name} failed once and passed alone");
    }
}

/// One run of `cargo test`, read while it is shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Attempt {
    passed: bool,
    /// Tests that failed, by name.
    names: BTreeSet<String>,
    /// Test programs that failed: package and target.
    targets: BTreeSet<(String, String)>,
    /// What failed without being a test program's test: a build, a unit test, an example in the documentation.
    others: Vec<String>,
}

impl Attempt {
    /// One line of what cargo or a test program said.
    fn read(&mut self, line: &str) {
        if let Some(test) = line.strip_prefix("test ")
            && let Some(name) = test.strip_suffix(" ... FAILED")
        {
            self.names.insert(name.to_owned());
        } else if let Some(arguments) = line
            .strip_prefix("    `")
            .and_then(|rest| rest.strip_suffix('`'))
        {
            match arguments.split(' ').collect::<Vec<_>>()[..] {
                ["-p", package, "--test", target] => {
                    self.targets.insert((package.to_owned(), target.to_owned()));
                }
                _ => self.others.push(arguments.to_owned()),
            }
        }
    }

    /// The tests that may run again.
    ///
    /// # Errors
    ///
    /// Something failed that has no excuse, or too much did.
    fn judged(&self) -> Result<Vec<String>, String> {
        let strict = self
            .targets
            .iter()
            .filter(|(package, target)| !IN_REAL_TIME.contains(&(package, target)))
            .map(|(package, target)| format!("-p {package} --test {target}"));
        let strict: Vec<String> = self.others.iter().cloned().chain(strict).collect();
        if !strict.is_empty() {
            return Err(format!("failed: {}", strict.join("; ")));
        }
        // A program that ended without naming a test was killed or broke off: nothing to run again.
        if self.names.is_empty() || self.targets.is_empty() {
            return Err("failed, and no test was named".into());
        }
        if self.names.len() > SECOND_RUNS_MAX {
            let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
            return Err(format!(
                "{} tests failed: {}",
                names.len(),
                names.join(", ")
            ));
        }
        Ok(self.names.iter().cloned().collect())
    }
}

fn attempt(arguments: &[&str]) -> Result<Attempt, String> {
    let said = |error: std::io::Error| format!("cargo test: {error}");
    let mut child = Command::new(cargo())
        .args(arguments)
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(said)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    // Cargo's own words and those of the tests come by two pipes: both must be emptied at once.
    let told = std::thread::spawn(move || {
        err.map_or_else(Vec::new, |err| shown(err, |line| eprintln!("{line}")))
    });
    let mut lines = out.map_or_else(Vec::new, |out| shown(out, |line| println!("{line}")));
    lines.extend(told.join().map_err(|_| "cargo test: its words were lost")?);
    let mut attempt = Attempt {
        passed: child.wait().map_err(said)?.success(),
        ..Attempt::default()
    };
    for line in &lines {
        attempt.read(line);
    }
    Ok(attempt)
}

/// Shows each line as it comes and returns them all.
fn shown(from: impl Read, show: impl Fn(&str)) -> Vec<String> {
    let mut reader = BufReader::new(from);
    let (mut lines, mut bytes) = (Vec::new(), Vec::new());
    while reader
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|count| count > 0)
    {
        let line = String::from_utf8_lossy(&bytes)
            .trim_end_matches(['\r', '\n'])
            .to_owned();
        show(&line);
        lines.push(line);
        bytes.clear();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Attempt {
        let mut attempt = Attempt::default();
        text.lines().for_each(|line| attempt.read(line));
        attempt
    }

    #[test]
    fn a_failure_in_real_time_may_run_again() {
        let attempt = read(
            "test a::b ... ok\ntest c::d ... FAILED\nerror: 1 target failed:\n    `-p hearthline-hearth --test the_program`",
        );
        assert_eq!(attempt.judged(), Ok(vec!["c::d".to_owned()]));
    }

    #[test]
    fn one_on_a_simulated_clock_may_not() {
        let attempt = read("test c ... FAILED\n    `-p hearthline-sip --test calls`");
        assert_eq!(
            attempt.judged(),
            Err("failed: -p hearthline-sip --test calls".to_owned())
        );
        let unit = read("test c ... FAILED\n    `-p hearthline-hub --lib`");
        assert_eq!(
            unit.judged(),
            Err("failed: -p hearthline-hub --lib".to_owned())
        );
    }

    #[test]
    fn many_or_none_may_not() {
        let many: String = (0..=SECOND_RUNS_MAX)
            .map(|n| format!("test t{n} ... FAILED\n"))
            .collect();
        let target = "    `-p hearthline-hub --test calls`";
        assert!(read(&format!("{many}{target}")).judged().is_err());
        assert!(read(target).judged().is_err());
        assert!(read("error: could not compile").judged().is_err());
    }
}
