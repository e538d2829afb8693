//! The template language, piece by piece, in files as an owner writes them.
use hearthline_voice::understand::sentences::{
    Complaint, Datum, Expression, Grammar, House, HouseValue, Lists, NumberWords, Program,
    Recognition, SlotFrom, Whose,
};
use proptest::prelude::*;

fn own(yaml: &str) -> (Program, Vec<Complaint>) {
    let mut grammar = Grammar::new("en");
    grammar.add_yaml("own.yaml", yaml);
    Program::compile(&grammar, &NumberWords::default())
}

fn program(yaml: &str) -> Program {
    let (program, complaints) = own(yaml);
    assert_eq!(complaints, []);
    program
}

fn house() -> Lists {
    let mut lists = Lists::default();
    let value = |said: &str, domain: &str| HouseValue {
        said: said.into(),
        out: Datum::Text(said.into()),
        context: vec![("domain".into(), Datum::Text(domain.into()))],
        metadata: None,
    };
    lists.set(
        "name",
        [
            value("Lamp", "light"),
            value("Floor Lamp", "light"),
            value("Back Door", "lock"),
        ],
    );
    lists
}

fn meant(program: &Program, said: &str) -> Option<Recognition> {
    program.recognise(said, &house(), &[])
}

/// Intent and slots in one line; `-` for nothing.
fn line(program: &Program, said: &str) -> String {
    meant(program, said).map_or("-".into(), |meant| {
        let slots: Vec<String> = meant
            .slots
            .iter()
            .map(|slot| format!("{}={}", slot.name, slot.value.spoken()))
            .collect();
        format!("{} {}", meant.intent, slots.join(" "))
            .trim()
            .to_owned()
    })
}

#[test]
fn alternatives_optionals_and_parts_of_words() {
    let program = program(
        "intents:\n  Light:\n    data:\n      - sentences: ['(turn|switch) on [all] [the] light[s]', 'light(s|ing) up']\n",
    );
    for said in [
        "turn on lights",
        "Switch on ALL the light",
        "turn on, the lights!",
        "lighting up",
        "lights up",
    ] {
        assert_eq!(line(&program, said), "Light", "{said}");
    }
    for said in [
        "turn on",
        "turn on the lightss",
        "turn lights on",
        "light up",
        "please turn on lights now",
    ] {
        assert_eq!(line(&program, said), "-", "{said}");
    }
}

#[test]
fn items_in_any_order() {
    let program =
        program("intents:\n  A:\n    data:\n      - sentences: ['go (now;[very] fast;home)']\n");
    for said in [
        "go now fast home",
        "go home now very fast",
        "go fast home now",
    ] {
        assert_eq!(line(&program, said), "A", "{said}");
    }
    assert_eq!(line(&program, "go now home"), "-");
}

#[test]
fn lists_give_what_they_mean() {
    let program = program(
        "intents:\n  Color:\n    data:\n      - sentences: ['[set] {name} to {color:hue}', '{name} {mood:@how} please']\n\
         lists:\n  color:\n    values:\n      - in: '[dark ]red'\n        out: FF0000\n      - blue\n      - in: light (green|lime)\n\
         \x20 mood:\n    values: [warm, cosy]\n",
    );
    assert_eq!(
        line(&program, "set floor lamp to dark red"),
        "Color name=Floor Lamp hue=FF0000"
    );
    assert_eq!(line(&program, "lamp to blue"), "Color name=Lamp hue=blue");
    assert_eq!(
        line(&program, "set lamp to Light Lime"),
        "Color name=Lamp hue=Light Lime"
    );
    assert_eq!(line(&program, "set lamp to dark blue"), "-");
    let captured = meant(&program, "lamp cosy please").unwrap();
    assert_eq!(captured.captures, [("how".to_owned(), "cosy".to_owned())]);
    assert_eq!(captured.slots.len(), 1);
}

#[test]
fn ranges_count_in_steps_and_halves() {
    let program = program(
        "intents:\n  Dim:\n    data:\n      - sentences: ['dim to {level}[%]', 'dim {0..20,4:by}', 'heat to {warm}', 'down {less}']\n\
         lists:\n  level:\n    range: {from: 0, to: 100, step: 5}\n  warm:\n    range: {from: 10, to: 30, fractions: halves}\n\
         \x20 less:\n    range: {from: 1, to: 9, multiplier: -1}\n",
    );
    assert_eq!(line(&program, "dim to 35%"), "Dim level=35");
    assert_eq!(line(&program, "dim to 36"), "-");
    assert_eq!(line(&program, "dim to 105"), "-");
    assert_eq!(line(&program, "dim 8"), "Dim by=8");
    assert_eq!(line(&program, "dim 9"), "-");
    assert_eq!(line(&program, "heat to 21.5"), "Dim warm=21.5");
    assert_eq!(line(&program, "heat to 21,5"), "Dim warm=21.5");
    assert_eq!(line(&program, "heat to 21.4"), "-");
    assert_eq!(line(&program, "down 3"), "Dim less=-3");
}

#[test]
fn free_words_reach_as_far_as_they_must() {
    let program = program(
        "intents:\n  Play:\n    data:\n      - sentences: ['find {album}', 'play {album} by {artist}', 'play {album} by {artist} in {room}']\n\
         lists:\n  album: {wildcard: true}\n  artist: {wildcard: true}\n  room:\n    values: [kitchen, hall]\n",
    );
    assert_eq!(line(&program, "play"), "-");
    assert_eq!(
        line(&program, "play day by day by Doris in kitchen"),
        "Play album=day artist=day by Doris room=kitchen"
    );
    assert_eq!(line(&program, "play a by b"), "Play album=a artist=b");
    assert_eq!(line(&program, "find hello"), "Play album=hello");
    let meant = meant(&program, "find hello").unwrap();
    assert_eq!(meant.slots[0].from, SlotFrom::Words);
}

#[test]
fn circumstances_are_asked_for_and_ruled_out() {
    let program = program(
        "intents:\n  Here:\n    data:\n      - sentences: ['lights on']\n        requires_context: {area: {slot: true}}\n\
         \x20 Lock:\n    data:\n      - sentences: ['close {name}']\n        requires_context: {domain: lock}\n      \
         - sentences: ['dim {name}']\n        excludes_context: {domain: [lock, cover]}\n        slots: {how: gently}\n",
    );
    assert_eq!(line(&program, "lights on"), "-");
    let kitchen = [("area".to_owned(), Datum::Text("Kitchen".into()))];
    let here = program.recognise("lights on", &house(), &kitchen).unwrap();
    assert_eq!(
        (here.slots[0].value.spoken().as_str(), here.slots[0].from),
        ("Kitchen", SlotFrom::Context)
    );
    assert_eq!(line(&program, "close back door"), "Lock name=Back Door");
    assert_eq!(line(&program, "close lamp"), "-");
    assert_eq!(line(&program, "dim lamp"), "Lock name=Lamp how=gently");
    assert_eq!(line(&program, "dim back door"), "-");
}

#[test]
fn rules_and_lists_of_a_block_are_its_own() {
    let program = program(
        "intents:\n  A:\n    data:\n      - sentences: ['<go> {where}']\n        expansion_rules: {go: walk}\n        \
         lists:\n          where: {values: [north]}\n      - sentences: ['<go> {where}']\n\
         expansion_rules: {go: '(drive|ride)'}\nlists:\n  where: {values: [south]}\n",
    );
    assert_eq!(line(&program, "walk north"), "A where=north");
    assert_eq!(line(&program, "ride south"), "A where=south");
    assert_eq!(line(&program, "walk south"), "-");
    assert_eq!(line(&program, "drive north"), "-");
}

#[test]
fn skip_words_go_but_not_from_free_words() {
    let program = program(
        "intents:\n  Add:\n    data:\n      - sentences: ['add {item} to my list', 'i want to watch tv']\n  Say:\n    data:\n      \
         - sentences: ['say {item}']\nlists:\n  item: {wildcard: true}\nskip_words: [please, can you, i want to]\n",
    );
    assert_eq!(
        line(&program, "can you add milk to my list please"),
        "Add item=milk"
    );
    assert_eq!(line(&program, "i want to watch tv"), "Add");
    assert_eq!(
        line(&program, "please say yes please"),
        "Say item=yes please"
    );
}

#[test]
fn a_broken_part_is_named_and_the_rest_is_read() {
    let (program, complaints) = own(
        "intents:\n  A:\n    data:\n      - sentences:\n          - 'good (one'\n          - 'fine'\n          - 'use <missing>'\n          \
         - 'turn <round>'\nexpansion_rules:\n  round: 'a <square>'\n  square: 'b <round>'\n  bad: '(x'\nlists:\n  odd: {values: 3, wildcard: no}\n  none: {}\n",
    );
    let all: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    let all = all.join("\n");
    assert!(
        all.contains("own.yaml:5: A: \"good (one\": '(' at character 5 is never closed"),
        "{all}"
    );
    assert!(all.contains("there is no rule <missing>"), "{all}");
    assert!(all.contains("refers to itself"), "{all}");
    assert!(all.contains("rule bad"), "{all}");
    assert!(all.contains("list none"), "{all}");
    assert_eq!(line(&program, "fine"), "A");
    assert_eq!(line(&program, "good one"), "-");

    let (_, complaints) = own("intents:\n  A: [\n");
    assert_eq!(complaints[0].file, "own.yaml");
    assert!(
        complaints[0].line.is_some_and(|line| line >= 2),
        "{complaints:?}"
    );
}

#[test]
fn exponential_templates_end() {
    // Each optional may match or not at the same place: 2^60 ways, all in vain.
    let template = format!("{}end", "[a|a ][a |a]".repeat(30));
    let program = program(&format!(
        "intents:\n  A:\n    data:\n      - sentences: ['{template}']\n"
    ));
    let said = format!("{}stop", "a ".repeat(60));
    assert_eq!(line(&program, &said), "-");
    let free = "{w} x ".repeat(20);
    let yaml = format!(
        "intents:\n  A:\n    data:\n      - sentences: ['{free}end']\nlists:\n  w: {{wildcard: true}}\n"
    );
    assert_eq!(line(&self::program(&yaml), &"x y ".repeat(60)), "-");
    let wide = format!(
        "intents:\n  A:\n    data:\n      - sentences: ['{{v}}']\nlists:\n  v:\n    values: ['{}']\n",
        "(a|b)".repeat(40)
    );
    let (_, complaints) = own(&wide);
    assert!(
        complaints
            .iter()
            .any(|c| c.what.contains("more than 512 wordings")),
        "{complaints:?}"
    );
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test measures")]
fn a_hundred_thousand_names_are_read_in_bounded_time_and_memory() {
    let thing = |n: usize| {
        let name = format!("Lamp {n} of the {} room", ["red", "green", "blue"][n % 3]);
        serde_json::json!({"name": name, "domain": "light"})
    };
    let entities: Vec<_> = (0..100_000).map(thing).collect();
    let house = House::from_json(&serde_json::json!({ "entities": entities })).unwrap();
    let lists = house.lists();
    let program = program(
        "intents:\n  On:\n    data:\n      - sentences: ['turn on [the] {name}', 'turn [the] {name} on']\n",
    );
    let mut slowest = std::time::Duration::ZERO;
    for (said, wanted) in [
        ("turn on lamp 99999 of the red room", true),
        ("turn lamp 4 of the green room on", true),
        ("turn on lamp 100000 of the red room", false),
        ("lamp lamp lamp 7 of the red red room", false),
    ] {
        let start = std::time::Instant::now();
        let meant = program.recognise(said, &lists, &[]);
        slowest = slowest.max(start.elapsed());
        assert_eq!(meant.is_some(), wanted, "{said}: {meant:?}");
    }
    println!("slowest of four sentences among 100,000 names: {slowest:?}");
    assert!(
        slowest < std::time::Duration::from_millis(500),
        "{slowest:?}"
    );
    let many: Vec<_> = (0..200_001).map(thing).collect();
    let error = House::from_json(&serde_json::json!({ "entities": many })).unwrap_err();
    assert!(error.contains("more than 200000"), "{error}");
}

#[test]
fn aliases_of_devices_rooms_and_floors_are_understood() {
    let house = |things: serde_json::Value| House::from_json(&things).unwrap();
    let mut home = house(serde_json::json!({
        "entities": [
            {"name": "Counter", "aliases": ["worktop", 7, " "], "domain": "light", "state": "on"},
            {"name": "Cellar", "aliases": "none", "domain": "light"},
        ],
        "areas": [{"name": "Kitchen", "floor": "Ground"}],
        "floors": [{"name": "Ground", "aliases": ["downstairs"]}],
    }));
    home.join(&house(serde_json::json!({
        "areas": [{"name": "kitchen", "aliases": ["galley"]}],
        "floors": [{"name": "ground", "aliases": ["street level"]}],
    })));
    let program = program(
        "intents:\n  On:\n    data:\n      - sentences: ['on {name}', 'on in {area}', 'on at {floor}']\n",
    );
    let slot = |said: &str, slot: &str| {
        let meant = program.recognise(said, &home.lists(), &[])?;
        Some(meant.slot(slot)?.value.spoken())
    };
    for (said, name, wanted) in [
        ("on counter", "name", "Counter"),
        ("on worktop", "name", "worktop"),
        ("on in kitchen", "area", "Kitchen"),
        ("on in galley", "area", "Kitchen"),
        ("on at downstairs", "floor", "Ground"),
        ("on at street level", "floor", "Ground"),
    ] {
        assert_eq!(slot(said, name).as_deref(), Some(wanted), "{said}");
    }
    assert_eq!(slot("on none", "name"), None);
}

#[test]
fn own_sentences_go_first_and_rivals_are_told() {
    let mut grammar = Grammar::new("en");
    grammar.add_json(
        "package.json",
        br#"{"intents": {"A": {"data": [{"sentences": ["all off", "stop it"]}]}, "B": {"data": [{"sentences": ["stop it"]}]}}}"#,
    );
    grammar.add_yaml(
        "own.yaml",
        "intents:\n  Mine:\n    data:\n      - sentences: ['all off']\n",
    );
    let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
    assert_eq!(complaints, []);
    let off = meant(&program, "all off").unwrap();
    assert!(off.whose == Whose::Owner && off.intent == "Mine" && off.rivals.is_empty());
    assert_eq!(meant(&program, "stop it").unwrap().rivals, ["B"]);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(template in "[a-c (){}<>|;:@\\[\\]\\\\.]{0,40}") {
        if let Ok(expression) = Expression::parse(&template) {
            let mut lists = Vec::new();
            expression.lists(&mut lists);
            prop_assert!(expression.texts() <= template.len() * 3 + 3);
        }
    }

    #[test]
    fn what_a_template_says_it_matches((template, said) in wording(3)) {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        prop_assume!(!said.is_empty());
        let program = program(&format!("intents:\n  A:\n    data:\n      - sentences: ['{template}']\n"));
        prop_assert_eq!(line(&program, &said), "A", "{} ~ {}", template, said);
    }

    #[test]
    fn any_file_is_read_without_a_panic(yaml in "[a-z:\\-\\[\\]{}' \n&*|>#]{0,200}", said in "\\PC{0,60}") {
        let (program, _) = own(&yaml);
        let _ = meant(&program, &said);
    }
}

/// A template and one of its wordings.
fn wording(depth: u32) -> BoxedStrategy<(String, String)> {
    let word = "[a-z]{1,5}".prop_map(|word| (word.clone(), word));
    if depth == 0 {
        return word.boxed();
    }
    let inner = || wording(depth - 1);
    prop_oneof![
        2 => word,
        2 => (inner(), inner()).prop_map(|(a, b)| (format!("{} {}", a.0, b.0), format!("{} {}", a.1, b.1))),
        1 => (inner(), inner()).prop_map(|(a, b)| (format!("({}|{})", a.0, b.0), a.1)),
        1 => (inner(), inner()).prop_map(|(a, b)| (format!("({}|{})", a.0, b.0), b.1)),
        1 => (inner(), any::<bool>()).prop_map(|(a, said)| (format!("[{}]", a.0), if said { a.1 } else { String::new() })),
        1 => (inner(), inner(), any::<bool>()).prop_map(|(a, b, turned)| {
            let said = if turned { format!("{} {}", b.1, a.1) } else { format!("{} {}", a.1, b.1) };
            (format!("({};{})", a.0, b.0), said)
        }),
    ]
    .boxed()
}
