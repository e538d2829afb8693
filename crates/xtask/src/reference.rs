//! `docs/configuration.md`, made of the types that read the file: their names, kinds and words are the reference.
use std::fmt::Write as _;
use std::path::Path;

use crate::step::{Outcome, root};

/// The page.
const PAGE: &str = "docs/configuration.md";
/// The types: one file, and those of its folder.
const TYPES: &str = "crates/speaker/src/config";
/// The type of the file as a whole.
const WHOLE: &str = "Household";

/// Writes the page.
pub(crate) fn write() -> Outcome {
    std::fs::write(root().join(PAGE), page()?).map_err(|error| format!("{PAGE}: {error}"))
}

/// Whether the page says what the types say.
pub(crate) fn check() -> Outcome {
    let stands = std::fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    if stands == page()? {
        return Ok(());
    }
    Err(format!(
        "{PAGE} is not what the types say: run `cargo xtask reference`"
    ))
}

/// A field of a type.
#[derive(Debug, Default, PartialEq, Eq)]
struct Field {
    key: String,
    kind: String,
    may_be_left_out: bool,
    meaning: String,
}

/// A type that is read from the file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Section {
    name: String,
    all_may_be_left_out: bool,
    fields: Vec<Field>,
}

fn page() -> Result<String, String> {
    let mut sections = Vec::new();
    let folder = root().join(TYPES);
    let mut files = vec![folder.with_extension("rs")];
    let listed = std::fs::read_dir(&folder).map_err(|error| format!("{TYPES}: {error}"))?;
    files.extend(listed.flatten().map(|entry| entry.path()));
    files.sort();
    for file in files {
        sections.extend(read(&file)?);
    }
    let of = |name: &str| sections.iter().find(|section| section.name == name);
    let whole = of(WHOLE).ok_or_else(|| format!("{TYPES}: there is no {WHOLE}"))?;
    let mut page = String::from(
        "# A household's file, key by key\n\n<!-- made by `cargo xtask reference` from the types that read the file -->\n\n\
         [household.toml](household.toml) shows a whole one. `hearth config check FILE` tells what is wrong with yours, `hearth config \
         places` where it is looked for. Unknown keys are refused.\n",
    );
    for field in &whole.fields {
        write_section(&mut page, &sections, "", field)?;
    }
    Ok(page)
}

/// A section with its table, then the sections within it.
fn write_section(
    page: &mut String,
    sections: &[Section],
    above: &str,
    field: &Field,
) -> Result<(), String> {
    let of = |kind: &str| {
        let name = inner(kind);
        sections.iter().find(move |section| section.name == name)
    };
    let path = format!("{above}{}", field.key);
    let brackets = if field.kind.starts_with("Vec<") {
        ("[[", "]]")
    } else {
        ("[", "]")
    };
    let level = if above.is_empty() { "##" } else { "###" };
    let needed = if field.may_be_left_out {
        ""
    } else {
        " It must be there."
    };
    let _ = write!(
        page,
        "\n{level} `{}{path}{}`\n\n{}{needed}\n",
        brackets.0, brackets.1, field.meaning
    );
    let Some(section) = of(&field.kind) else {
        return Ok(());
    };
    let may_be_left_out = |key: &Field| key.may_be_left_out || section.all_may_be_left_out;
    let (within, plain): (Vec<&Field>, Vec<&Field>) = section
        .fields
        .iter()
        .partition(|key| of(&key.kind).is_some());
    if !plain.is_empty() {
        page.push_str("\n| key | kind | needed | meaning |\n|---|---|---|---|\n");
    }
    for key in plain {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            key.key,
            kind_in_words(&key.kind)?,
            if may_be_left_out(key) { "" } else { "yes" },
            key.meaning
        );
    }
    for key in within {
        let key = Field {
            key: key.key.clone(),
            kind: key.kind.clone(),
            may_be_left_out: may_be_left_out(key),
            meaning: key.meaning.clone(),
        };
        write_section(page, sections, &format!("{path}."), &key)?;
    }
    Ok(())
}

/// The type within `Vec<…>` or `Option<…>`.
fn inner(kind: &str) -> &str {
    kind.rsplit('<')
        .next()
        .unwrap_or(kind)
        .trim_end_matches('>')
}

fn kind_in_words(kind: &str) -> Result<&'static str, String> {
    let list = kind.contains("Vec<");
    Ok(match (inner(kind), list) {
        ("String", true) => "list of texts",
        ("String", false) => "text",
        ("u8" | "u16" | "u32" | "u64" | "usize", _) => "whole number",
        ("f32" | "f64", _) => "number",
        ("bool", _) => "true or false",
        ("PathBuf", true) => "list of files",
        ("PathBuf", false) => "file",
        ("SocketAddr", _) => "address and port",
        (other, _) => return Err(format!("{TYPES}: what is a {other} to a person?")),
    })
}

/// The structs of a file that are read from TOML, with their fields and what stands above them.
fn read(file: &Path) -> Result<Vec<Section>, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(sections(&text))
}

fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut open: Option<Section> = None;
    let (mut meaning, mut attributes) = (String::new(), String::new());
    for line in text.lines() {
        let line = line.trim();
        if let Some(words) = line.strip_prefix("///") {
            if !meaning.is_empty() {
                meaning.push(' ');
            }
            meaning.push_str(words.trim());
            continue;
        }
        if line.starts_with("#[") {
            attributes.push_str(line);
            continue;
        }
        match &mut open {
            Some(_) if line == "}" => sections.extend(open.take()),
            Some(section) => {
                let named = line
                    .strip_prefix("pub ")
                    .and_then(|line| line.split_once(": "));
                if let Some((key, kind)) = named {
                    let kind = kind.trim_end_matches(',').to_owned();
                    section.fields.push(Field {
                        key: renamed(&attributes).unwrap_or(key).to_owned(),
                        may_be_left_out: kind.starts_with("Option<")
                            || attributes.contains("default"),
                        kind,
                        meaning: std::mem::take(&mut meaning),
                    });
                }
            }
            None => {
                let name = line
                    .strip_prefix("pub struct ")
                    .and_then(|line| line.strip_suffix(" {"));
                if let Some(name) = name.filter(|_| attributes.contains("Deserialize")) {
                    open = Some(Section {
                        name: name.to_owned(),
                        all_may_be_left_out: attributes.contains("default"),
                        fields: Vec::new(),
                    });
                }
            }
        }
        meaning.clear();
        attributes.clear();
    }
    sections
}

fn renamed(attributes: &str) -> Option<&str> {
    attributes.split_once("rename = \"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_with_its_words() {
        let text = "/// `[a]`\n#[derive(Deserialize)]\n#[serde(deny_unknown_fields)]\npub struct A {\n    /// One\n    /// two.\n    #[serde(default, rename = \"b\")]\n    pub bs: Vec<String>,\n    /// Three.\n    pub c: u64,\n}\npub struct Other {\n    pub d: u64,\n}\n";
        let read = sections(text);
        assert_eq!(read.len(), 1, "{read:?}");
        let [b, c] = read[0].fields.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(
            (b.key.as_str(), b.meaning.as_str(), b.may_be_left_out),
            ("b", "One two.", true)
        );
        assert_eq!((c.key.as_str(), c.may_be_left_out), ("c", false));
        assert_eq!(kind_in_words(&b.kind), Ok("list of texts"));
    }
}
