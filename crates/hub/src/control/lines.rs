//! Lines, for whoever sits at the hub: shown, added with their passwords, removed, put in order.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::said;
use crate::gateway::config::{PASSWORD_BYTES_MAX, PASSWORDS_FOLDER};
use crate::home::Home;
use crate::id::LineId;
use crate::line::{Line, LineFields};

/// Every line, in the order in which they are tried.
pub(super) async fn all(home: &Home) -> Result<Vec<Line>, String> {
    home.store.lines().await.map_err(said)
}

/// Adds a line. One with a password stands only when the password lies in its file.
pub(super) async fn add(
    home: &Home,
    folder: &Path,
    fields: &LineFields,
    password: Option<String>,
) -> Result<(), String> {
    let same = |line: &Line| is_called(line, fields.name.as_str());
    if all(home).await?.iter().any(same) {
        return Err("a line is called so already; give it another name".to_owned());
    }
    let now = home.clock.now();
    let Some(password) = password else {
        return home
            .store
            .add_line(fields, now)
            .await
            .map(|_| ())
            .map_err(said);
    };
    if password.is_empty()
        || password.len() > PASSWORD_BYTES_MAX
        || password.chars().any(char::is_control)
    {
        return Err(format!(
            "a line's password is one line of at most {PASSWORD_BYTES_MAX} bytes"
        ));
    }
    // Not used before its password can be read: a refused account may be locked.
    let waiting = LineFields {
        enabled: false,
        ..fields.clone()
    };
    let line = home.store.add_line(&waiting, now).await.map_err(said)?;
    if let Err(error) = write(folder, line.id, &password) {
        // Nothing is left of it; the one that was asked hears why.
        let _ = home.store.remove_line(line.id, now).await;
        return Err(format!("the password was not written: {error}"));
    }
    let changed = home.store.change_line(line.id, fields, now).await;
    changed.map(|_| ()).map_err(said)
}

/// Removes a line and its password.
pub(super) async fn remove(home: &Home, folder: &Path, line: &str) -> Result<(), String> {
    let lines = all(home).await?;
    let id = found(&lines, line)?.id;
    let removed = home.store.remove_line(id, home.clock.now()).await;
    removed.map_err(said)?;
    match fs::remove_file(password_file(folder, id)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!(
            "the line is gone, its password's file is not: {error}"
        )),
        _ => Ok(()),
    }
}

/// Puts lines first, in this order; the others follow as they stood.
pub(super) async fn order(home: &Home, first: &[String]) -> Result<(), String> {
    let lines = all(home).await?;
    let mut ordered: Vec<&Line> = Vec::new();
    let mut seen: HashSet<LineId> = HashSet::new();
    for name in first {
        let line = found(&lines, name)?;
        if !seen.insert(line.id) {
            return Err(format!("{name} stands there twice"));
        }
        ordered.push(line);
    }
    let others = lines.iter().filter(|line| !seen.contains(&line.id));
    ordered.extend(others);
    for (position, line) in (0_u8..).zip(ordered) {
        if line.fields.position == position {
            continue;
        }
        let fields = LineFields {
            position,
            ..line.fields.clone()
        };
        let now = home.clock.now();
        let changed = home.store.change_line(line.id, &fields, now).await;
        changed.map_err(said)?;
    }
    Ok(())
}

fn is_called(line: &Line, name: &str) -> bool {
    line.fields.name.as_str().to_lowercase() == name.trim().to_lowercase()
}

/// By id, else by name.
fn found<'a>(lines: &'a [Line], wanted: &str) -> Result<&'a Line, String> {
    let by_id = lines.iter().find(|line| line.id.to_string() == wanted);
    if let Some(line) = by_id {
        return Ok(line);
    }
    let mut named = lines.iter().filter(|line| is_called(line, wanted));
    match (named.next(), named.next()) {
        (Some(line), None) => Ok(line),
        (Some(_), Some(_)) => Err(format!("several lines are called {wanted}; give the id")),
        (None, _) => Err(format!(
            "no line is called {wanted}; `hearth hub lines` shows them"
        )),
    }
}

fn password_file(folder: &Path, line: LineId) -> PathBuf {
    folder.join(PASSWORDS_FOLDER).join(line.to_string())
}

fn write(folder: &Path, line: LineId, password: &str) -> io::Result<()> {
    let place = folder.join(PASSWORDS_FOLDER);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&place)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(password_file(folder, line))?;
    file.write_all(password.as_bytes())?;
    file.sync_all()
}
