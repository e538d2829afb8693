//! The acoustic grammar of each country: every wording is an order to the right service, however it is written.
use hearthline_voice::understand::automaton::{Automaton, Meaning, Payload, Wordings};
use hearthline_voice::understand::{Country, PhraseSet, RefusedClass, Service, emergency_phrases};
use proptest::prelude::*;

fn automaton(set: &PhraseSet) -> Automaton {
    let number = Payload {
        meaning: Meaning::Contrary(RefusedClass::OtherNumber),
        service: Service::Sos,
        quiet: false,
    };
    let numbers = Wordings {
        cores: vec![("call #".to_owned(), number)],
        ..Wordings::default()
    };
    Automaton::new(&["alexa"], &[Wordings::orders(set), numbers])
        .expect("our own lists are not too long")
}

#[test]
fn every_core_of_every_country_is_an_order_to_its_service() {
    for country in Country::ALL {
        let set = emergency_phrases(country);
        let automaton = automaton(&set);
        println!(
            "{country}: {} cores, {} states",
            set.cores.len(),
            automaton.len()
        );
        assert!(set.cores.len() > 100 && automaton.len() < 20_000);
        for core in &set.cores {
            let payload = automaton
                .read(&core.text)
                .unwrap_or_else(|| panic!("{country}: {}", core.text));
            assert_eq!(
                (payload.meaning, payload.service, payload.quiet),
                (Meaning::Order, core.service, core.quiet),
                "{}",
                core.text
            );
        }
    }
}

#[test]
fn only_the_countrys_own_number_is_an_order() {
    for (country, own, foreign) in [
        (Country::UnitedStates, "911", "999"),
        (Country::UnitedKingdom, "999", "911"),
        (Country::EuropeanUnion, "112", "911"),
        (Country::Australia, "000", "911"),
    ] {
        let automaton = automaton(&emergency_phrases(country));
        let meaning = |digits: &str| automaton.read(&format!("call {digits}")).map(|p| p.meaning);
        assert_eq!(meaning(own), Some(Meaning::Order), "{country}");
        assert_eq!(
            meaning(foreign),
            Some(Meaning::Contrary(RefusedClass::OtherNumber)),
            "{country}"
        );
        assert_eq!(
            meaning(&format!("{own}5")),
            Some(Meaning::Contrary(RefusedClass::OtherNumber)),
            "{country}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Case, spaces, punctuation, digits or their words: one wording.
    #[test]
    fn writing_does_not_matter(
        core in any::<prop::sample::Index>(),
        prefix in any::<prop::sample::Index>(),
        suffix in any::<prop::sample::Index>(),
        noise in prop::collection::vec(prop::sample::select(vec![", ", ". ", " ", "! ", "-", "… "]), 12),
        upper in any::<bool>(),
        spelt in any::<bool>(),
    ) {
        let set = emergency_phrases(Country::UnitedStates);
        let automaton = automaton(&set);
        let core = core.get(&set.cores);
        let text = format!("alexa {} {} {}", prefix.get(&set.prefixes), core.text, suffix.get(&set.suffixes));
        let text = if spelt { text.replace("911", "9 one 1") } else { text };
        let text = if upper { text.to_uppercase() } else { text };
        let mut noise = noise.into_iter().cycle();
        let written: String = text.split(' ').flat_map(|word| [word, noise.next().unwrap_or(" ")]).collect();
        prop_assert_eq!(automaton.read(&written).map(|p| (p.service, p.quiet)), Some((core.service, core.quiet)), "{}", written);
    }

    /// Whatever the text, the automaton answers, and never finds an order in one without a verb of calling.
    #[test]
    fn no_order_without_a_verb(text in "[a-z 0-9]{0,40}") {
        let automaton = automaton(&emergency_phrases(Country::UnitedStates));
        let verbs = ["call", "dial", "phone", "ring", "contact", "get", "send", "alert"];
        let order = automaton.read(&text).is_some_and(|p| p.meaning == Meaning::Order);
        let plain: String = text.chars().filter(|c| *c != ' ').collect();
        prop_assert!(!order || verbs.iter().any(|verb| plain.contains(verb)), "{}", text);
    }
}
