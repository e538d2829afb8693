//! What an idle `hearth demo` keeps in memory: the real program with everything it starts.
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Row;
use super::meter::percentile;

/// A sentence without the wake word: speaker, call-taker and LoST server run, and nothing happens.
const NOTHING_TO_DO: &str =
    "Good evening. The kettle is on, and supper will be ready in a quarter of an hour.";
/// A demo that goes on by itself is ended so long after its start.
const WATCHED: Duration = Duration::from_secs(20);
/// The figure is the median of the last samples: this many, [`PAUSE`] apart (2 s).
const SAMPLES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// All rows.
pub(super) fn rows() -> Result<Vec<Row>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let place = std::env::temp_dir().join(format!("hearth-bench-idle-{}", std::process::id()));
    let mut demo = Command::new(program)
        .args(["demo", "--say", NOTHING_TO_DO, "--data"])
        .arg(&place)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the demo does not start: {error}"))?;
    let mut seen = watch(&mut demo);
    // It may have ended by itself; either way it is gone afterwards.
    let _ = demo.kill();
    let _ = demo.wait();
    let _ = std::fs::remove_dir_all(&place);
    let tail = seen.len().saturating_sub(SAMPLES);
    let last = &mut seen[tail..];
    if last.is_empty() {
        return Ok(Vec::new());
    }
    let count = last.len();
    Ok(vec![Row::new(
        "memory of an idle `demo`, all its processes",
        percentile(last, 50),
        Some(250.0),
        "MB",
        count,
    )])
}

fn watch(demo: &mut Child) -> Vec<f64> {
    let started = Instant::now();
    let mut seen = Vec::new();
    while started.elapsed() < WATCHED && matches!(demo.try_wait(), Ok(None)) {
        // Ending processes have no memory to tell of.
        seen.extend(resident_tree_mb(demo.id()).filter(|mb| *mb > 1.0));
        std::thread::sleep(PAUSE);
    }
    seen
}

/// Resident memory of a process and all that descend from it, MB; none where the system does not tell.
fn resident_tree_mb(root: u32) -> Option<f64> {
    let mut parents = BTreeMap::new();
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some((parent, kib)) = status(id) {
            parents.insert(id, (parent, kib));
        }
    }
    let belongs = |mut id: u32| {
        // As deep as there are processes, so that a loop in what was read ends.
        for _ in 0..parents.len() {
            if id == root {
                return true;
            }
            match parents.get(&id) {
                Some((parent, _)) => id = *parent,
                None => return false,
            }
        }
        false
    };
    let kib: f64 = parents
        .iter()
        .filter(|(id, _)| belongs(**id))
        .map(|(_, (_, kib))| kib)
        .sum();
    Some(kib * 1_024.0 / 1e6)
}

/// Parent and resident KiB of a process.
fn status(id: u32) -> Option<(u32, f64)> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
    };
    Some((
        field("PPid:")?.parse().ok()?,
        field("VmRSS:")?.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_counts_with_its_parent() {
        let mut child = Command::new("sleep").arg("5").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let (parent, kib) = status(child.id()).unwrap();
        let both = resident_tree_mb(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(parent, std::process::id());
        assert!(kib > 0.0 && both > kib * 1_024.0 / 1e6, "{both} {kib}");
    }
}
