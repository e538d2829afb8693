//! Whether a page's files are whole and come from nowhere else: what the tests of each page ask.

use crate::asset::Asset;
use crate::content_type::{HTML, SCRIPT};

/// Ways in which text becomes markup or program.
const WAYS: [&str; 5] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
];
/// The one address that names no place but a kind of drawing.
const SVG: &str = "http://www.w3.org/2000/svg";

/// What all of them weigh together, in bytes.
#[must_use]
pub fn weight_bytes<'a>(assets: impl IntoIterator<Item = &'a Asset>) -> usize {
    assets.into_iter().map(|asset| asset.bytes.len()).sum()
}

/// `roots` and what they load: style sheets, scripts, drawings of a page, and every module that one imports by its name,
/// each once. Modules that a script asks for later (`import(…)`, a worker) are roots of their own.
#[must_use]
pub fn loaded<'a>(assets: &'a [Asset], roots: &[&str]) -> Vec<&'a Asset> {
    let mut wanted: Vec<String> = roots.iter().map(|&path| path.to_owned()).collect();
    let mut found: Vec<&Asset> = Vec::new();
    while let Some(path) = wanted.pop() {
        let asset = assets.iter().find(|asset| asset.path == path);
        let Some(asset) = asset.filter(|asset| found.iter().all(|had| had.path != asset.path))
        else {
            continue;
        };
        found.push(asset);
        let text = std::str::from_utf8(asset.bytes).unwrap_or_default();
        wanted.extend(match asset.content_type {
            SCRIPT => imports(asset.path, text),
            HTML => links(text),
            _ => Vec::new(),
        });
    }
    found
}

/// What is wrong with a page's files, in words: one names an address of elsewhere, turns text into markup, asks for a
/// file that is not among them, or is not UTF-8. Empty when nothing is.
#[must_use]
pub fn faults(assets: &[Asset]) -> Vec<String> {
    let mut wrong = Vec::new();
    for asset in assets {
        let Ok(text) = std::str::from_utf8(asset.bytes) else {
            wrong.push(format!("{} is not UTF-8", asset.path));
            continue;
        };
        for scheme in ["https://", "http://"] {
            let mut named = text.match_indices(scheme);
            if named.any(|(at, _)| !text[at..].starts_with(SVG)) {
                wrong.push(format!("{} names an address", asset.path));
            }
        }
        for way in WAYS {
            if text.contains(way) {
                wrong.push(format!("{} uses {way}", asset.path));
            }
        }
        let asked = match asset.content_type {
            SCRIPT => imports(asset.path, text),
            HTML => links(text),
            _ => Vec::new(),
        };
        for path in asked {
            if !assets.iter().any(|other| other.path == path) {
                wrong.push(format!(
                    "{} asks for {path}, which is not served",
                    asset.path
                ));
            }
        }
    }
    wrong
}

/// What a module imports, from `/`.
fn imports(of: &str, text: &str) -> Vec<String> {
    let starts = |line: &&str| {
        ["import ", "export ", "} from "]
            .iter()
            .any(|word| line.starts_with(word))
    };
    let named = |line: &str| {
        let (_, rest) = line
            .split_once("from \"")
            .or_else(|| line.split_once("import \""))?;
        rest.split('"').next().map(|named| resolved(of, named))
    };
    text.lines().filter(starts).filter_map(named).collect()
}

/// `named` as seen from the file `of`.
fn resolved(of: &str, named: &str) -> String {
    if named.starts_with('/') {
        return named.to_owned();
    }
    let mut folders: Vec<&str> = of.split('/').collect();
    folders.pop();
    for part in named.split('/') {
        match part {
            "." => {}
            ".." => {
                folders.pop();
            }
            part => folders.push(part),
        }
    }
    folders.join("/")
}

/// What a page loads or leads to on its own server, from `/`.
fn links(text: &str) -> Vec<String> {
    let values = ["href=\"", "src=\""].into_iter().flat_map(|attribute| {
        text.match_indices(attribute)
            .filter_map(move |(at, _)| text[at + attribute.len()..].split('"').next())
    });
    values
        .filter(|value| value.starts_with('/'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(path: &'static str, text: &'static str) -> Asset {
        Asset {
            path,
            content_type: SCRIPT,
            bytes: text.as_bytes(),
        }
    }

    #[test]
    fn a_whole_page_has_no_faults() {
        let assets = [
            script("/a.js", "import { b } from \"./in/b.js\";\n"),
            script("/in/b.js", "export { c } from \"../c.js\";\n"),
            script(
                "/c.js",
                "import \"./a.js\";\nimport {\n  a,\n} from \"/a.js\";\n",
            ),
            script("/d.js", "const SVG = \"http://www.w3.org/2000/svg\";\n"),
            Asset {
                path: "/",
                content_type: HTML,
                bytes: b"<script src=\"/a.js\"></script><a href=\"#main\">x</a>",
            },
        ];
        assert_eq!(faults(&assets), Vec::<String>::new());
        assert_eq!(weight_bytes(&assets[3..4]), assets[3].bytes.len());
        let paths = |roots: &[&str]| -> Vec<&str> {
            let mut paths: Vec<_> = loaded(&assets, roots)
                .iter()
                .map(|asset| asset.path)
                .collect();
            paths.sort_unstable();
            paths
        };
        assert_eq!(paths(&["/"]), ["/", "/a.js", "/c.js", "/in/b.js"]);
        assert_eq!(paths(&["/d.js", "/d.js"]), ["/d.js"]);
    }

    #[test]
    fn each_fault_is_named() {
        for (text, word) in [
            (
                "import { x } from \"./x.js\";",
                "asks for /in/x.js, which is not served",
            ),
            ("import {\n  x,\n} from \"../x.js\";", "asks for /x.js"),
            ("fetch(\"https://example.com\")", "names an address"),
            ("it.innerHTML = text", "uses innerHTML"),
            ("eval(text)", "uses eval("),
        ] {
            let faults = faults(&[script("/in/a.js", text)]);
            assert!(
                faults.len() == 1 && faults[0].contains(word),
                "{text}: {faults:?}"
            );
        }
        let page = Asset {
            path: "/",
            content_type: HTML,
            bytes: b"<link rel=\"icon\" href=\"/icon.svg\">\xff",
        };
        assert_eq!(faults(&[page]), ["/ is not UTF-8"]);
    }
}
