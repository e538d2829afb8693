"""Reads events on standard input, makes each into the library's own class and back, and writes it again."""
import importlib
import pkgutil
import sys

import wyoming
from wyoming.event import Eventable, read_event, write_event

classes = {}
for module in pkgutil.iter_modules(wyoming.__path__):
    if module.name in ("http", "zeroconf"):
        continue
    loaded = importlib.import_module(f"wyoming.{module.name}")
    for value in vars(loaded).values():
        if isinstance(value, type) and issubclass(value, Eventable) and value is not Eventable:
            classes[value] = value

count = 0
while (event := read_event(sys.stdin.buffer)) is not None:
    fitting = [one for one in classes if one.is_type(event.type)]
    assert len(fitting) == 1, (event.type, fitting)
    write_event(fitting[0].from_event(event).event(), sys.stdout.buffer)
    count += 1
assert count == len(classes), (count, len(classes))
