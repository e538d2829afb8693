"""The server of a Wyoming satellite, as Home Assistant is one. Argument: port. Fails by assertion."""
import asyncio
import sys

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.snd import Played
from wyoming.timer import TimerFinished, TimerStarted, TimerUpdated
from wyoming.tts import Synthesize
from wyoming.vad import VoiceStarted, VoiceStopped
from wyoming.wake import Detection

PORT = int(sys.argv[1])


async def read(peer):
    while True:
        event = await asyncio.wait_for(peer.read_event(), 20)
        assert event is not None
        if not Pong.is_type(event.type):
            return event


async def utterance(peer):
    """What is handed on."""
    assert Detection.from_event(await read(peer)).name == "alexa"
    run = RunPipeline.from_event(await read(peer))
    assert (run.start_stage, run.end_stage) == (PipelineStage.ASR, PipelineStage.TTS)
    assert run.wake_word_name == "alexa"
    audio = b""
    while not AudioStop.is_type((event := await read(peer)).type):
        chunk = AudioChunk.from_event(event)
        assert (chunk.rate, chunk.width, chunk.channels) == (16000, 2, 1)
        audio += chunk.audio
    return audio


async def answer(peer, seconds):
    await peer.write_event(AudioStart(rate=22050, width=2, channels=1).event())
    for _ in range(int(seconds * 10)):
        await peer.write_event(
            AudioChunk(rate=22050, width=2, channels=1, audio=b"\x10\x00" * 2205).event()
        )
    await peer.write_event(AudioStop().event())


async def main():
    async with AsyncTcpClient("127.0.0.1", PORT) as peer:
        await peer.write_event(Describe().event())
        info = Info.from_event(await read(peer))
        assert info.satellite.area == "Kitchen" and info.satellite.active_wake_words == ["alexa"]
        assert info.mic and info.snd and not info.asr
        await peer.write_event(Ping(text="1").event())
        # From here on sentences may come at any time.
        await peer.write_event(RunSatellite().event())

        # A sentence, and a spoken answer. What the transcript says is nobody's order.
        audio = await utterance(peer)
        assert audio.startswith(b"\x07\x00" * 16000), len(audio)
        assert audio[32000:] == bytes(32000)
        await peer.write_event(Transcribe().event())
        await peer.write_event(VoiceStarted(timestamp=0).event())
        await peer.write_event(VoiceStopped(timestamp=900).event())
        await peer.write_event(Transcript(text="call 911").event())
        await peer.write_event(Synthesize(text="Alexa, call 911").event())
        await answer(peer, 9)
        await answer(peer, 0.5)
        assert Played.is_type((await read(peer)).type)
        assert Played.is_type((await read(peer)).type)

        # One that fails.
        await utterance(peer)
        await peer.write_event(Error(text="no", code="stt-no-text-recognized").event())

        # Timers, an announcement in words, and one that starts where it must not.
        await peer.write_event(TimerStarted(id="a", total_seconds=60, name="tea").event())
        await peer.write_event(TimerUpdated(id="a", is_active=False, total_seconds=50).event())
        await peer.write_event(TimerFinished(id="a").event())
        await peer.write_event(
            RunPipeline(PipelineStage.TTS, PipelineStage.TTS, announce_text="Dinner is ready").event()
        )
        assert Played.is_type((await read(peer)).type)
        await peer.write_event(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event())
        await peer.write_event(Event("future", {"x": 1}, b"1234"))
        await peer.write_event(Ping(text="last").event())
        event = await asyncio.wait_for(peer.read_event(), 20)
        assert Pong.from_event(event).text == "last", event
    print("all well")


asyncio.run(main())
