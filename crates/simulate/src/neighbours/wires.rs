//! What goes in and out of everybody in a home.
use core::time::Duration;
use std::net::SocketAddr;

use hearthline_psap::call_taker;
use hearthline_sip::endpoint::{Input as SipInput, Target, Transport};
use hearthline_speaker::device::{Input, Output};
use hearthline_speaker::record::Keep;

use super::ports::{Port, emergency_port, port_of};
use super::{Neighbours, SPEECH_PER_CHARACTER, TAKER};
use crate::home_hub::HUB;
use crate::network::Arrival;
use crate::trace::Digests;

impl Neighbours {
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        let hub: SocketAddr = HUB.parse().expect("an address");
        let taker: SocketAddr = TAKER.parse().expect("an address");
        match arrival {
            Arrival::Sip {
                from, to, bytes, ..
            } if to == hub => {
                self.hub.receive(from, &bytes, self.now);
                self.drain_hub();
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } if to == taker => {
                let input = SipInput::Received {
                    transport,
                    local: to,
                    remote: from,
                    bytes: &bytes,
                };
                self.taker.handle_sip(input, self.now);
                self.drain_taker();
            }
            Arrival::Sip {
                transport,
                from,
                to,
                bytes,
            } => {
                if let Some(index) = self.rooms.iter().position(|room| room.sip == to) {
                    let line = first_line(&bytes);
                    self.rooms[index].received.push((self.now, line));
                    let input = SipInput::Received {
                        transport,
                        local: to,
                        remote: from,
                        bytes: &bytes,
                    };
                    self.input(index, Input::Sip(input));
                }
            }
            Arrival::Media { from, to, bytes } => match port_of(to) {
                Port::Call(room) if room < self.rooms.len() => {
                    let bytes = &bytes;
                    self.input(room, Input::Media { from, to, bytes });
                }
                Port::Emergency(room, rtcp)
                    if self
                        .rooms
                        .get(room)
                        .is_some_and(|room| to.ip() == room.own()) =>
                {
                    self.input(
                        room,
                        if rtcp {
                            Input::Rtcp(&bytes)
                        } else {
                            Input::Rtp(&bytes)
                        },
                    );
                }
                Port::Taker => {
                    self.taker.handle_media(to.port(), from, &bytes, self.now);
                    self.drain_taker();
                }
                _ => {}
            },
            Arrival::Refused {
                transport,
                from,
                to,
            } => {
                if let Some(index) = self.rooms.iter().position(|room| room.sip == from) {
                    let target = Target::new(transport, to);
                    let input = SipInput::TransportFailed { target: &target };
                    self.input(index, Input::Sip(input));
                }
            }
        }
    }

    pub(super) fn input(&mut self, index: usize, input: Input<'_>) {
        let now = self.now;
        self.rooms[index].device.handle(input, now);
        self.drain(index);
    }

    pub(super) fn drain(&mut self, index: usize) {
        let mut durable = Vec::new();
        let mut on_disk = Vec::new();
        loop {
            let room = &mut self.rooms[index];
            let output = room.device.poll_output();
            if matches!(output, Output::Timeout(_)) {
                break;
            }
            digest(&mut room.digests, &output);
            let from = room.sip;
            match output {
                Output::Sip { target, bytes } => {
                    room.sent.push((self.now, first_line(&bytes)));
                    let arrival = Arrival::Sip {
                        transport: target.transport,
                        from,
                        to: target.remote,
                        bytes,
                    };
                    self.network.send(arrival, self.now);
                }
                Output::Media { from, to, bytes } => {
                    room.wire.push(bytes.clone());
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Rtp { to, bytes } => {
                    let from = emergency_port(index, room.own(), 0);
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Rtcp { to, bytes } => {
                    let from = emergency_port(index, room.own(), 1);
                    self.network
                        .send(Arrival::Media { from, to, bytes }, self.now);
                }
                Output::Keep(Keep::Entry { seq, bytes }) => {
                    room.log.extend_from_slice(&bytes);
                    durable.extend(seq);
                }
                Output::Say(text) => {
                    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
                    room.speech_until = Some(self.now + SPEECH_PER_CHARACTER * length);
                    room.said.push(text);
                }
                Output::KeepKnownKeys(bytes) => room.known_keys = bytes,
                Output::Hush => {
                    room.speech_until = None;
                    room.telling.clear();
                    room.hushes.push(self.now);
                }
                Output::Tell { id, parts } => self.tell(index, id, parts),
                Output::Hub { request, what } => self.ask_api(index, request, what),
                Output::KeepOutbox(bytes) => room.outbox = bytes,
                Output::KeepOf {
                    skill,
                    token,
                    bytes,
                    appends,
                } => {
                    let kept = room.kept.entry(skill).or_default();
                    if !appends {
                        kept.clear();
                    }
                    kept.extend(bytes);
                    on_disk.push((skill, token));
                }
                Output::Play(samples) => room.played.extend(samples),
                Output::Tone(tone) => room.tones.push(tone),
                Output::Volume(percent) => room.volumes.push(percent),
                Output::Light(light) => room.lights.push(light),
                Output::ListenForReply { ms } => {
                    room.reply_until = Some(self.now + Duration::from_millis(u64::from(ms)));
                }
                Output::Step(step) => room.steps.push((self.now, step)),
                Output::Post { .. }
                | Output::Keep(Keep::Audio { .. })
                | Output::KeepLostCache(_)
                | Output::KnowNames(_)
                | Output::KnowSentences(_)
                | Output::Out { .. }
                | Output::Show { .. }
                | Output::CloseStream { .. }
                | Output::Timeout(_) => {}
            }
        }
        for seq in durable {
            self.input(index, Input::Durable { seq });
        }
        for (skill, token) in on_disk {
            self.input(index, Input::KeptOf { skill, token });
        }
    }

    pub(super) fn drain_hub(&mut self) {
        let (sent, at) = self.hub.drain(self.now);
        self.hub_at = at;
        for (to, bytes) in sent {
            let arrival = Arrival::Sip {
                transport: Transport::Tls,
                from: HUB.parse().expect("an address"),
                to,
                bytes,
            };
            self.network.send(arrival, self.now);
        }
    }

    pub(super) fn drain_taker(&mut self) {
        let sip: SocketAddr = TAKER.parse().expect("an address");
        loop {
            let arrival = match self.taker.poll_output(self.now) {
                call_taker::Output::Timeout(_) => return,
                call_taker::Output::Sip { target, bytes } => Arrival::Sip {
                    transport: target.transport,
                    from: sip,
                    to: target.remote,
                    bytes,
                },
                call_taker::Output::Media { port, to, bytes } => Arrival::Media {
                    from: SocketAddr::new(sip.ip(), port),
                    to,
                    bytes,
                },
                _ => continue,
            };
            self.network.send(arrival, self.now);
        }
    }
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or(&[]);
    String::from_utf8_lossy(line).into_owned()
}

/// What follows from the seed alone: without keys, and what is signed or encrypted with them.
fn digest(digests: &mut Digests, output: &Output) {
    match output {
        Output::Media { from, to, .. } => digests.push(&(from, to)),
        Output::KeepKnownKeys(_) => {}
        Output::Sip { target, bytes } => {
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<&str> = text
                .lines()
                .filter(|line| !line.starts_with("Identity:") && !line.starts_with("a=fingerprint"))
                .collect();
            digests.push(&(target, lines));
        }
        other => digests.push(other),
    }
}
