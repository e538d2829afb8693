#!/usr/bin/env python3
"""What the same sentences cost hassil, in the same run as the benchmark `match_sentences`, which starts this program.

Reads {"entities", "areas", "floors", "context_area", "commands", "talk"} on standard input, prints one line for each kind.
Needs the PyPI packages hassil==3.12.1 and home-assistant-intents==2026.10.27.
"""
import json
import sys
import time

import home_assistant_intents
from hassil import Intents, TextSlotList, recognize_best


def resident_kb():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def main():
    house = json.load(sys.stdin)
    before = resident_kb()
    intents = Intents.from_dict(home_assistant_intents.get_intents("en"))
    lists = {
        "name": TextSlotList.from_tuples(
            [(e["name"], e["name"], {"domain": e["domain"]}) for e in house["entities"]], name="name"
        ),
        "area": TextSlotList.from_strings([a["name"] for a in house["areas"]], name="area"),
        "floor": TextSlotList.from_strings([f["name"] for f in house["floors"]], name="floor"),
    }
    context = {"area": house["context_area"]}
    for kind in ("commands", "talk"):
        times = []
        understood = 0
        for text in house[kind]:
            started = time.perf_counter()
            result = recognize_best(text, intents, slot_lists=lists, intent_context=context, best_slot_name="name")
            times.append((time.perf_counter() - started) * 1e3)
            understood += result is not None
        times.sort()
        at = lambda percent: times[len(times) * percent // 100]
        print(
            f"hassil {kind}: {len(times)} sentences, {understood} understood, "
            f"p50 {at(50):.1f} ms, p95 {at(95):.1f} ms, p99 {at(99):.1f} ms"
        )
    after = resident_kb()
    print(f"hassil memory: {after} kB resident, {after - before} kB of it the grammar and what it keeps of it")


if __name__ == "__main__":
    main()
