//! The committed OpenAPI document is the one that is served, and it is the role table's.

use std::path::Path;

use crate::household::Household;
use hearthline_hub::api::document_json;
use hearthline_hub::person::Role;
use hearthline_hub::role::{RULES, Scope, Standing};
use serde_json::{Value, json};

#[test]
fn the_committed_document_is_the_present_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let fresh = document_json();
    if std::env::var_os("HEARTH_WRITE_OPENAPI").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "openapi.json is not the present document; run the test with HEARTH_WRITE_OPENAPI=1 and look at the diff"
    );
}

/// Method and path of each operation of the document.
fn operations() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            all.push((method.to_uppercase(), path.clone()));
        }
    }
    all
}

/// Every text under this key, anywhere in the document.
fn all_of(value: &Value, key: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                match inner {
                    Value::String(text) if name == key => found.push(text.clone()),
                    inner => all_of(inner, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| all_of(item, key, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_operation_has_its_own_name() {
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    let mut references = Vec::new();
    all_of(&document, "$ref", &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let mut names = Vec::new();
    all_of(&document["paths"], "operationId", &mut names);
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(
        (names.len(), count),
        (operations().len(), operations().len())
    );
}

/// Two types of one name would be one schema in the document, the later in the place of the earlier, without a word.
#[test]
fn no_two_schemas_have_the_same_name() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = std::collections::BTreeMap::new();
    let mut folders = vec![source];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for name in schemas(&text) {
                let before = named.insert(name.clone(), path.clone());
                assert!(
                    before.is_none(),
                    "{name} stands in {} and in {}: give one another name",
                    before.unwrap().display(),
                    path.display()
                );
            }
        }
    }
    let document: Value = serde_json::from_str(&document_json()).unwrap();
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        // Ids are made by a macro, which takes each name once.
        let known = named.contains_key(name) || name.ends_with("Id");
        assert!(
            known,
            "{name} is found by no derive: does this test still read the source?"
        );
    }
}

/// The types of a source file that derive `ToSchema`, by the name that the document has.
fn schemas(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut derives = false;
    let mut renamed = None;
    for line in text.lines().map(str::trim) {
        derives |= line.contains("ToSchema") && !line.starts_with("use ");
        if let Some((_, rest)) = line.split_once("schema(as = ") {
            renamed = rest.split([',', ')', ' ']).next().map(str::to_owned);
        }
        let words = line
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub(crate) ");
        let words = words.trim_start_matches("pub ");
        let type_name = words
            .strip_prefix("struct ")
            .or_else(|| words.strip_prefix("enum "));
        if let Some(rest) = type_name {
            let name = rest.split(|c: char| !c.is_alphanumeric()).next();
            let name = renamed.take().or_else(|| name.map(str::to_owned));
            found.extend(name.filter(|_| derives));
            derives = false;
        }
    }
    found
}

#[test]
fn documented_routes_and_the_role_table_are_the_same() {
    let mut documented = operations();
    documented.push(("GET".to_owned(), "/api/v1/openapi.json".to_owned()));
    // A WebSocket, which OpenAPI cannot describe.
    documented.push(("GET".to_owned(), "/sip".to_owned()));
    documented.sort();
    let mut ruled: Vec<(String, String)> = RULES
        .iter()
        .map(|rule| (rule.method.to_string(), rule.path.to_owned()))
        .collect();
    ruled.sort();
    assert_eq!(documented, ruled);
}

/// Over real connections: where the table says nothing, the answer is 401 or 403 and nothing else; where it says
/// something, it is neither.
#[tokio::test]
async fn every_route_keeps_the_table_for_every_standing() {
    let home = Household::new().await;
    let device = home
        .device(hearthline_hub::device::DeviceKind::Speaker, "Kitchen", None)
        .await;
    for standing in Standing::ALL {
        let client = match standing {
            Standing::Person(role) => home.login(role).await,
            Standing::Device => home.as_device(&device),
            Standing::Nobody => home.anonymous(),
        };
        for rule in RULES {
            // An id that does not exist and a body that does not read: nothing is changed by asking.
            let path = rule.path.replace("{id}", "00000000000000000000000000");
            let answer = client
                .try_send(
                    rule.method.as_str(),
                    &path,
                    b"{\"no such field\":1}".to_vec(),
                )
                .await;
            let status = answer.expect("an answer").status().as_u16();
            let refused = matches!(status, 401 | 403);
            let allowed = rule.scope(standing) != Scope::Nothing;
            assert_eq!(
                refused, !allowed,
                "{standing:?} {} {path}: {status}",
                rule.method
            );
            assert_eq!(
                status == 401,
                !allowed && standing == Standing::Nobody,
                "{standing:?} {path}"
            );
            assert!(status < 500, "{standing:?} {path}: {status}");
        }
    }
    let owner = home.login(Role::Owner).await;
    let (status, served) = owner.get("/api/v1/openapi.json").await;
    assert_eq!(
        (status, served),
        (200, serde_json::from_str(&document_json()).unwrap())
    );
    assert_eq!(owner.get("/api/v1/nothing").await.0, 404);
    assert_eq!(
        owner
            .send("PATCH", "/api/v1/rooms", Some(&json!({})))
            .await
            .0,
        405
    );
}
