//! Licences, bans and duplicates as `deny.toml` has them: with cargo-deny where it is installed, else from `cargo tree`.
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::step::{Outcome, call, cargo, read, root};

/// Reads `deny.toml` and checks every dependency against it.
pub(crate) fn run() -> Outcome {
    if Command::new("cargo-deny").arg("--version").output().is_ok() {
        return call(Command::new("cargo-deny").args([
            "--workspace",
            "check",
            "licenses",
            "bans",
            "sources",
        ]));
    }
    let rules = std::fs::read_to_string(root().join("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let allowed = strings_of(&rules, "allow");
    let banned = names_of(&rules, "deny");
    let twice = names_of(&rules, "skip");
    let tree = read(Command::new(cargo()).args([
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}|{l}",
    ]))?;
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let rows: BTreeSet<&str> = tree.lines().filter(|row| !row.is_empty()).collect();
    for row in rows {
        let (package, licence) = row
            .trim_end_matches(" (*)")
            .split_once('|')
            .unwrap_or((row, ""));
        let mut words = package.split_whitespace();
        let (name, version) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        versions
            .entry(name.to_owned())
            .or_default()
            .insert(version.to_owned());
        if !licence_fits(licence.trim_end_matches(" (*)"), &allowed) {
            wrong.push(format!(
                "{name} {version}: licence '{licence}' is not allowed"
            ));
        }
        if banned.contains(name) {
            wrong.push(format!("{name} {version}: banned"));
        }
    }
    for (name, found) in versions
        .iter()
        .filter(|(name, found)| found.len() > 1 && !twice.contains(*name))
    {
        wrong.push(format!(
            "{name} comes twice: {}",
            found.iter().cloned().collect::<Vec<_>>().join(", ")
        ));
    }
    if wrong.is_empty() {
        println!("{} dependencies fit deny.toml", versions.len());
        return Ok(());
    }
    Err(format!("deny.toml is broken:\n  {}", wrong.join("\n  ")))
}

/// True when the SPDX expression can be met by the allowed licences.
fn licence_fits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    plain
        .split(" AND ")
        .all(|all| all.split(" OR ").any(|one| allowed.contains(one.trim())))
}

/// The strings of the array `key = [ … ]`.
fn strings_of(rules: &str, key: &str) -> BTreeSet<String> {
    array_of(rules, key)
        .split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The `crate = "…"` values of the array of tables `key = [ … ]`.
fn names_of(rules: &str, key: &str) -> BTreeSet<String> {
    array_of(rules, key)
        .split("crate = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn array_of<'a>(rules: &'a str, key: &str) -> &'a str {
    let start = rules
        .split_once(&format!("\n{key} = ["))
        .map_or("", |(_, rest)| rest);
    start.split("\n]").next().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_expression_needs_one_of_each_or() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "ISC".to_owned()]);
        assert!(licence_fits("MIT OR GPL-3.0", &allowed));
        assert!(licence_fits("(MIT OR Apache-2.0) AND ISC", &allowed));
        assert!(!licence_fits("MIT AND GPL-3.0", &allowed));
        assert!(!licence_fits("", &allowed));
    }
}
