"""Finds the services that are named on the command line on loopback; prints what is there, then what has gone.

One line a service: type, name, address, port, server, words. "there" once all are found; then each that is taken back.
"""
import sys
import time

from zeroconf import ServiceBrowser, ServiceListener, Zeroconf

WITHIN_S = 60


class Listener(ServiceListener):
    def __init__(self):
        self.found = {}
        self.gone = set()

    def add_service(self, zc, type_, name):
        info = zc.get_service_info(type_, name, timeout=10_000)
        if info is not None:
            self.found[name] = info

    def update_service(self, zc, type_, name):
        self.add_service(zc, type_, name)

    def remove_service(self, zc, type_, name):
        self.gone.add(name)


def wait_for(done, what):
    until = time.monotonic() + WITHIN_S
    while not done():
        if time.monotonic() > until:
            sys.exit(f"{what} in vain")
        time.sleep(0.05)


wanted = set(sys.argv[1:])
zeroconf = Zeroconf(interfaces=["127.0.0.1"])
listener = Listener()
types = sorted({name.split(".", 1)[1] for name in wanted})
browsers = [ServiceBrowser(zeroconf, type_, listener) for type_ in types]
wait_for(lambda: wanted <= set(listener.found), f"waited for {wanted}, found {set(listener.found)}")
for name in sorted(wanted):
    info = listener.found[name]
    words = sorted(f"{key.decode()}={value.decode()}" for key, value in info.properties.items() if value is not None)
    print(info.type, name, ",".join(info.parsed_addresses()), info.port, info.server, " ".join(words), sep="|")
print("there", flush=True)
sys.stdin.readline()
wait_for(lambda: wanted <= listener.gone, f"waited for {wanted} to go, gone are {listener.gone}")
print("gone", flush=True)
zeroconf.close()
