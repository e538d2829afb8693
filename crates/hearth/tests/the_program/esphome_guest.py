"""A guest by ESPHome's native API, by Home Assistant's own library. Arguments: port, key. Each line in is answered by one."""
import asyncio
import sys

from aioesphomeapi import APIClient, InvalidEncryptionKeyAPIError

PORT, KEY = int(sys.argv[1]), sys.argv[2]


async def main():
    ended = asyncio.Event()

    async def stopped(_expected):
        ended.set()

    client = APIClient("127.0.0.1", PORT, None, noise_psk=KEY)
    try:
        await asyncio.wait_for(client.connect(login=True, on_stop=stopped), 30)
    except InvalidEncryptionKeyAPIError:
        print("refused", flush=True)
        return
    loop = asyncio.get_running_loop()
    print("let in", flush=True)
    while asked := await loop.run_in_executor(None, sys.stdin.readline):
        if asked.strip() == "name":
            print((await client.device_info()).name, flush=True)
        else:
            await asyncio.wait_for(ended.wait(), 60)
            print("ended", flush=True)
            return


asyncio.run(main())
