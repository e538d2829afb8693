"""A client of the services, by the reference library. Argument: port. Fails by assertion."""
import asyncio
import sys

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.intent import Intent, NotRecognized, Recognize
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)
from wyoming.wake import Detect

PORT = int(sys.argv[1])


def client():
    return AsyncTcpClient("127.0.0.1", PORT)


async def read(peer):
    return await asyncio.wait_for(peer.read_event(), 20)


async def sound(peer, rate, width, channels, seconds):
    await peer.write_event(AudioStart(rate=rate, width=width, channels=channels).event())
    silence = bytes(rate // 10 * width * channels)
    for _ in range(int(seconds * 10)):
        await peer.write_event(
            AudioChunk(rate=rate, width=width, channels=channels, audio=silence).event()
        )
    await peer.write_event(AudioStop().event())


async def speech(peer):
    """Samples until the sound ends, and its rate."""
    start = AudioStart.from_event(await read(peer))
    count = 0
    while not AudioStop.is_type((event := await read(peer)).type):
        chunk = AudioChunk.from_event(event)
        assert (chunk.rate, chunk.width, chunk.channels) == (start.rate, 2, 1)
        count += len(chunk.audio) // 2
    return count, start.rate


async def one(number):
    async with client() as peer:
        await peer.write_event(Describe().event())
        info = Info.from_event(await read(peer))
        assert info.asr[0].models[0].languages == ["en"], info
        assert not info.asr[0].supports_transcript_streaming
        assert info.tts[0].supports_synthesize_streaming
        assert info.wake[0].models[0].phrase == "alexa"
        assert info.intent and info.handle and info.satellite is None

        await peer.write_event(Ping(text=f"n{number}").event())
        assert Pong.from_event(await read(peer)).text == f"n{number}"

        for rate, width, channels in [(16000, 2, 1), (22050, 2, 1), (48000, 4, 2)]:
            await peer.write_event(Transcribe(language="en", context={"n": number}).event())
            await sound(peer, rate, width, channels, 2)
            said = Transcript.from_event(await read(peer))
            assert said.context == {"n": number}, said
            assert abs(int(said.text.split()[1]) - 2000) < 20, said

        await peer.write_event(Transcribe(language="de").event())
        assert Error.from_event(await read(peer)).code == "unknown-language"

        await peer.write_event(Synthesize(text="One sentence here. And another one.").event())
        assert await speech(peer) == (2 * 2205, 22050)

        await peer.write_event(SynthesizeStart().event())
        for part in ["One sent", "ence here. And ano", "ther one."]:
            await peer.write_event(SynthesizeChunk(text=part).event())
        await peer.write_event(Synthesize(text="One sentence here. And another one.").event())
        await peer.write_event(SynthesizeStop().event())
        assert await speech(peer) == (2 * 2205, 22050)
        assert SynthesizeStopped.is_type((await read(peer)).type)

        await peer.write_event(Synthesize(text="x" * 20_000).event())
        assert Error.from_event(await read(peer)).code == "too-long"
        await peer.write_event(Synthesize(text="<speak/>", text_format="ssml").event())
        assert Error.from_event(await read(peer)).code == "unknown-format"

        await peer.write_event(Recognize(text="turn on the lamp", context={"c": 1}).event())
        intent = Intent.from_event(await read(peer))
        assert (intent.name, intent.context) == ("HassTurnOn", {"c": 1}), intent
        assert [(e.name, e.value) for e in intent.entities] == [("name", "lamp")]
        await peer.write_event(Transcript(text="what time is it").event())
        assert Handled.from_event(await read(peer)).text == "noon"
        await peer.write_event(Transcript(text="colourless green ideas").event())
        assert NotHandled.is_type((await read(peer)).type)

        # Nobody calls for help over the network.
        await peer.write_event(Transcript(text="call 911").event())
        words = NotHandled.from_event(await read(peer)).text
        assert "only at the speaker itself" in words, words
        await peer.write_event(Recognize(text="call 911").event())
        assert NotRecognized.from_event(await read(peer)).text == words

        # What nobody knows, and what is broken, does no harm.
        await peer.write_event(Event("quantum", {"a": 1}, b"payload"))
        await peer.write_event(Event("transcript", {"words": "?"}))
        assert Error.from_event(await read(peer)).code == "bad-data"
        await peer.write_event(Ping().event())
        assert Pong.is_type((await read(peer)).type)


async def main():
    await asyncio.gather(*(one(number) for number in range(6)))
    async with client() as peer:
        await peer.write_event(Detect(names=["computer"]).event())
        event = await read(peer)
        assert Error.from_event(event).code in ("unknown-wake-word", "not-offered"), event
    async with client() as peer:
        await sound(peer, 16000, 2, 1, 61)
        assert Error.from_event(await read(peer)).code == "too-long"
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 20)
    assert b"bad-frame" in answer, answer
    print("all well")


asyncio.run(main())
