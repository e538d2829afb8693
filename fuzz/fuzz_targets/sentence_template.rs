//! Any template, any file of sentences and any sentence are read without a panic, within a bound of time.
#![no_main]
use hearthline_voice::understand::sentences::{Expression, Grammar, House, NumberWords, Program};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (file, said) = text.split_once('\u{0}').unwrap_or((&text, &text));
    let _ = Program::from_bytes(data);
    let _ = NumberWords::default().add("en", file);
    if let Ok(expression) = Expression::parse(file) {
        let mut lists = Vec::new();
        expression.lists(&mut lists);
    }
    let quoted = serde_json::json!({
        "intents": { "A": { "data": [{ "sentences": [file, "[{name}] <r>"] }] } },
        "lists": { "x": { "values": [file] }, "w": { "wildcard": true }, "n": { "range": { "from": 0, "to": 30 } } },
        "expansion_rules": { "r": said },
    });
    let mut grammar = Grammar::new("en");
    grammar.add_yaml("a.yaml", file);
    grammar.add_json("b.json", file.as_bytes());
    grammar.add_json("c.json", quoted.to_string().as_bytes());
    let (program, _) = Program::compile(&grammar, &NumberWords::default());
    let house = House::default();
    let _ = program.recognise(said, &house.lists(), &[]);
});
