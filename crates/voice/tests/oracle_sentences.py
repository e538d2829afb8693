#!/usr/bin/env python3
"""What hassil says about sentences sampled from the templates: the oracle of `hearth match`.

Needs the PyPI packages hassil==3.12.1 and home-assistant-intents==2026.10.27.

oracle_sentences.py [--count 10000] [--seed 1] [--keep ROWS.jsonl] [--hearth PATH]
  samples COUNT sentences, 40 % of them English, the rest from the other languages in turn, and reads each with hassil.
  --keep writes them with what hassil says, for the test `agrees_with_hassil`, which runs this program itself.
  --hearth reads them with `hearth match --json --rows` and prints every difference. Ends with 1 if there is one.
"""
import argparse
import collections
import functools
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import home_assistant_intents
from hassil import string_matcher
from hassil import (
    Alternative,
    Group,
    Intents,
    ListReference,
    Permutation,
    RangeSlotList,
    RuleReference,
    TextChunk,
    TextSlotList,
    WildcardSlotList,
    recognize_best,
)
from hassil.numbers import get_rbnf_engine

# hassil 3.12.1 keeps the number words of a range without its multiplier, so that "volume up ten" may come out as -10
# once "volume down ten" was read. Here each range has its own.
build_range_trie = functools.lru_cache(maxsize=None)(
    lambda language, key, values: ORIGINAL_BUILD(language, values.of)
)
ORIGINAL_BUILD = string_matcher._build_range_trie


class Keyed:
    """A range that is equal to another one with the same numbers."""

    def __init__(self, of):
        self.of = of

    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


class KeepsNothing(dict):
    def __setitem__(self, key, value):
        pass


string_matcher._RANGE_TRIE_CACHE = collections.defaultdict(KeepsNothing)
string_matcher._build_range_trie = lambda language, values: build_range_trie(
    language, (values.start, values.stop, values.step, values.fraction_type, values.multiplier), Keyed(values)
)

ROOM = "Kitchen"
FIXTURES = {
    "entities": [
        {"name": name, "domain": domain}
        for name, domain in [
            ("Lamp", "light"), ("Floor Lamp", "light"), ("Ceiling Fan", "fan"), ("Back Door", "lock"),
            ("Garage Door", "cover"), ("Curtains", "cover"), ("TV", "media_player"), ("Radio", "media_player"),
            ("Thermostat", "climate"), ("Roomba", "vacuum"), ("Movie Night", "scene"), ("Good Morning", "script"),
            ("Anna", "person"), ("Front Window", "binary_sensor"), ("Outdoor Temperature", "sensor"),
            ("Groceries", "todo"), ("Weather Station", "weather"), ("Mower", "lawn_mower"),
            ("Coffee Machine", "switch"), ("Water Main", "valve"), ("Party", "input_boolean"),
        ]
    ],
    "areas": [{"name": name} for name in ("Kitchen", "Living Room", "Bedroom", "Office")],
    "floors": [{"name": name} for name in ("Upstairs", "Basement")],
}
FREE_WORDS = ["apples", "the long road", "milk", "yesterday", "abbey road", "queen", "dinner is ready", "blue suede shoes"]


def slot_lists():
    return {
        "name": TextSlotList.from_tuples(
            [(e["name"], e["name"], {"domain": e["domain"]}) for e in FIXTURES["entities"]], name="name"
        ),
        "area": TextSlotList.from_strings([a["name"] for a in FIXTURES["areas"]], name="area"),
        "floor": TextSlotList.from_strings([f["name"] for f in FIXTURES["floors"]], name="floor"),
    }


class Unsayable(Exception):
    """A list that this house does not have."""


def sample(rng, intents, data, lists, expression):
    """One wording of an expression."""
    go = lambda item: sample(rng, intents, data, lists, item)
    if isinstance(expression, TextChunk):
        return expression.original_text
    if isinstance(expression, RuleReference):
        rules = {**intents.expansion_rules, **data.expansion_rules}
        return go(rules[expression.rule_name].expression)
    if isinstance(expression, Alternative):
        return go(rng.choice(expression.items))
    if isinstance(expression, Permutation):
        items = list(expression.items)
        rng.shuffle(items)
        return "".join(go(item) for item in items)
    if isinstance(expression, Group):
        return "".join(go(item) for item in expression.items)
    assert isinstance(expression, ListReference)
    values = {**lists, **data.slot_lists}.get(expression.list_name)
    if isinstance(values, TextSlotList):
        wanted = data.requires_context.get("domain")
        fitting = [
            v for v in values.values
            if not wanted or not v.context or v.context.get("domain") in (wanted if isinstance(wanted, list) else [wanted])
        ]
        if not fitting:
            raise Unsayable(expression.list_name)
        return go(rng.choice(fitting).text_in)
    if isinstance(values, WildcardSlotList):
        return rng.choice(FREE_WORDS)
    if isinstance(values, RangeSlotList):
        number = rng.choice(list(values.get_numbers()))
        if values.words and rng.random() < 0.4:
            try:
                engine = get_rbnf_engine(values.words_language or intents.language)
                return rng.choice(sorted(set(engine.format_number(number).text_by_ruleset.values())))
            except ValueError:
                pass
        return str(number)
    raise Unsayable(expression.list_name)


def sampled(rng, language, intents, lists, count):
    blocks = [(i.name, d, s) for i in intents.intents.values() for d in i.data for s in d.sentences]
    seen = set()
    tries = 0
    while len(seen) < count and tries < count * 20:
        tries += 1
        _, data, sentence = rng.choice(blocks)
        try:
            text = " ".join(sample(rng, intents, data, lists, sentence.expression).split())
        except Unsayable:
            continue
        if text and len(text) < 300 and text not in seen:
            seen.add(text)
            yield text


def plain(value):
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def oracle(intents, lists, text):
    result = recognize_best(text, intents, slot_lists=lists, intent_context={"area": ROOM}, best_slot_name="name")
    if result is None:
        return None
    asked = {
        key if value.get("slot") is True else value.get("slot")
        for key, value in result.intent_data.requires_context.items()
        if isinstance(value, dict) and value.get("slot")
    }
    slots = {
        name: plain(entity.value)
        for name, entity in result.entities.items()
        if not (name in asked and not entity.text)
    }
    return {
        "intent": result.intent.name,
        "slot_combination": (result.intent_metadata or {}).get("slot_combination"),
        "slots": slots,
        "template": result.intent_sentence.text,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hearth")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    parser.add_argument("--languages", help="only these, comma-separated")
    args = parser.parse_args()

    languages = sorted(home_assistant_intents.get_languages())
    shares = {language: args.count * 6 // 10 // (len(languages) - 1) for language in languages}
    shares["en"] = args.count - sum(n for language, n in shares.items() if language != "en")
    if args.languages:
        wanted = args.languages.split(",")
        shares = {language: args.count // len(wanted) for language in wanted}
    lists = slot_lists()
    total = differences = 0
    hassil_seconds = 0.0
    by_language = {}
    kept = open(args.keep, "w", encoding="utf-8") if args.keep else None
    for language, count in shares.items():
        rng = random.Random(f"{args.seed} {language}")
        intents = Intents.from_dict(home_assistant_intents.get_intents(language))
        every = {**intents.slot_lists, **lists}
        texts = list(sampled(rng, language, intents, every, count))
        started = time.perf_counter()
        expected = [oracle(intents, lists, text) for text in texts]
        hassil_seconds += time.perf_counter() - started
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "rows.jsonl"
            with open(rows, "w", encoding="utf-8") as out:
                for number, text in enumerate(texts):
                    row = {"id": number, "sentence": text, "fixtures": FIXTURES, "context_area": ROOM}
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                    if kept:
                        kept.write(json.dumps({"language": language, **row, "expected": expected[number]}, ensure_ascii=False) + "\n")
            if not args.hearth:
                total += len(texts)
                continue
            ran = subprocess.run(
                [args.hearth, "match", "--json", "--language", language, "--rows", str(rows)],
                capture_output=True, text=True, check=False,
            )
        if ran.returncode != 0:
            sys.exit(f"{language}: hearth match ended with {ran.returncode}: {ran.stderr}")
        answers = [json.loads(line) for line in ran.stdout.splitlines()]
        assert len(answers) == len(texts), (language, len(answers), len(texts))
        for text, wanted, got in zip(texts, expected, answers):
            total += 1
            same = (
                got["intent"] is None
                if wanted is None
                else (got["intent"], got["slot_combination"], {k: plain(v) for k, v in got["slots"].items()})
                == (wanted["intent"], wanted["slot_combination"], wanted["slots"])
            )
            if not same:
                differences += 1
                by_language[language] = by_language.get(language, 0) + 1
                print(json.dumps({"language": language, "sentence": text, "hassil": wanted, "hearth": got}, ensure_ascii=False))
    print(f"{total} sentences, {differences} different {by_language}; hassil {hassil_seconds / max(total, 1) * 1000:.1f} ms a sentence")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
