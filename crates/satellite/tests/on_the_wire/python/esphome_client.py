"""Home Assistant's side of ESPHome's native API, by the library that it uses. Arguments: port, key. Fails by assertion."""
import asyncio
import base64
import sys

from aioesphomeapi import APIClient, InvalidEncryptionKeyAPIError
from aioesphomeapi.core import APIConnectionError
from aioesphomeapi.model import VoiceAssistantEventType as Event
from aioesphomeapi.model import VoiceAssistantTimerEventType as Timer

PORT, KEY = int(sys.argv[1]), sys.argv[2]


async def refused(key, kind):
    client = APIClient("127.0.0.1", PORT, None, noise_psk=key)
    try:
        await asyncio.wait_for(client.connect(login=False), 20)
    except kind:
        return
    finally:
        await client.disconnect(force=True)
    raise AssertionError("let in")


async def main():
    await refused(base64.b64encode(bytes(32)).decode(), InvalidEncryptionKeyAPIError)
    await refused(None, APIConnectionError)

    client = APIClient("127.0.0.1", PORT, None, noise_psk=KEY, expected_name="kitchen")
    await client.connect(login=True)
    info = await client.device_info()
    assert info.name == "kitchen" and info.friendly_name == "Kitchen", info
    assert info.mac_address == "02:00:5E:00:53:01" and info.api_encryption_supported
    assert info.voice_assistant_feature_flags == 31, info
    entities, _services = await client.list_entities_services()
    assert [entity.name for entity in entities] == ["Busy"], entities
    states = asyncio.Queue()
    client.subscribe_states(states.put_nowait)
    assert (await asyncio.wait_for(states.get(), 10)).state is False

    started, audio, stopped = asyncio.Queue(), bytearray(), asyncio.Queue()

    async def start(conversation_id, flags, settings, wake_word):
        started.put_nowait(wake_word)
        return 0

    async def stop(aborted):
        stopped.put_nowait(aborted)

    async def heard(data, _second=None):
        audio.extend(data)

    unsubscribe = client.subscribe_voice_assistant(
        handle_start=start, handle_stop=stop, handle_audio=heard
    )
    config = await client.get_voice_assistant_configuration(10)
    assert config.active_wake_words == ["alexa"] and config.max_active_wake_words == 1, config

    # A sentence and its answer.
    assert await asyncio.wait_for(started.get(), 10) == "alexa"
    assert await asyncio.wait_for(stopped.get(), 10) is False
    assert bytes(audio) == b"\x07\x00" * 16000 + bytes(32000), len(audio)
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_RUN_START, {})
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_STT_END, {"text": "call 911"})
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_TTS_START, {"text": "Alexa, call 911"})
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_TTS_END, {"url": "http://example.invalid/"})
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_RUN_END, {})
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_TTS_STREAM_START, {})
    for _ in range(8):
        client.send_voice_assistant_audio(b"\x10\x00" * 1000)
    client.send_voice_assistant_event(Event.VOICE_ASSISTANT_TTS_STREAM_END, {})

    # One that nobody understands.
    assert await asyncio.wait_for(started.get(), 10) == "alexa"
    assert await asyncio.wait_for(stopped.get(), 10) is False
    client.send_voice_assistant_event(
        Event.VOICE_ASSISTANT_ERROR, {"code": "stt-no-text-recognized", "message": "no"}
    )

    client.send_voice_assistant_timer_event(
        Timer.VOICE_ASSISTANT_TIMER_STARTED, "a", "tea", 60, 60, True
    )
    client.send_voice_assistant_timer_event(
        Timer.VOICE_ASSISTANT_TIMER_UPDATED, "a", "tea", 60, 50, False
    )
    client.send_voice_assistant_timer_event(
        Timer.VOICE_ASSISTANT_TIMER_FINISHED, "a", "tea", 60, 0, False
    )
    done = await client.send_voice_assistant_announcement_await_response(
        "http://example.invalid/a.mp3", 10, "Dinner is ready"
    )
    assert done.success
    # Nothing is fetched from the network on somebody's word.
    done = await client.send_voice_assistant_announcement_await_response(
        "http://example.invalid/a.mp3", 10, ""
    )
    assert not done.success
    await client.set_voice_assistant_configuration(["computer"])
    unsubscribe()
    await client.device_info()
    await client.disconnect()
    print("all well")


asyncio.run(main())
