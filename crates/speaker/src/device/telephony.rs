//! The telephone within the device: which calls are the emergency's, what everyday sentences do, what is heard and shown.
use core::time::Duration;

use hearthline_sip::Request;
use hearthline_sip::endpoint::{CallHandle, Event, Source};
use hearthline_voice::listen::Heard;
use hearthline_voice::understand::Intent;
use hearthline_voice::understand::household::KnownNames;
use hearthline_voice::understand::judge::Verdict;

use super::{Device, Light, Output, Step};
use crate::policy::Situation;
use crate::telephone::{HomeConfig, Name, Output as Wanted, Shows, deciding};

impl Device {
    /// Belongs to a home from now on: registers with its hub, and ordinary calls go by way of it.
    pub fn join_household(&mut self, config: HomeConfig, now: Duration) {
        self.now = now;
        self.telephone.join(config, &mut self.endpoint, now);
        self.messages.join();
        self.drain(now);
    }

    /// Whether the hub holds this device's registration.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.telephone.is_registered()
    }

    /// Whether an ordinary call rings, goes out or stands, or a question about one is open.
    #[must_use]
    pub fn is_telephone_busy(&self) -> bool {
        self.telephone.is_busy()
    }

    /// The names of the home, as the hub tells them.
    pub(super) fn set_directory(&mut self, names: &[Name]) {
        self.telephone.set_directory(names);
        let spoken = names
            .iter()
            .flat_map(|name| core::iter::once(&name.name).chain(&name.also));
        self.names = Some(KnownNames::new(spoken.clone().map(String::as_str)));
        self.outputs
            .push_back(Output::KnowNames(spoken.cloned().collect()));
        self.step(Step::Telephone {
            what: format!("names known: {}", names.len()),
        });
    }

    /// Does what an everyday sentence says; false when it is none of the telephone's or the volume's.
    pub(super) fn everyday(&mut self, intent: &Intent, now: Duration) -> bool {
        if let Some(percent) = self.volume.changed_by(intent) {
            self.outputs.push_back(Output::Volume(percent));
            return true;
        }
        if self.everyday_message(intent, now) {
            return true;
        }
        let facts = self.telephone.facts();
        let Some(deed) = deciding::decide(intent, facts, self.country) else {
            return false;
        };
        self.telephone.carry_out(deed, &mut self.endpoint, now);
        self.tell_hub(intent, now);
        // What it says belongs to this interaction.
        self.drain_telephone(now);
        true
    }

    /// The answer to "Which Anna?". An order or question about an emergency is never taken for a name.
    pub(super) fn took_choice(&mut self, heard: &Heard, now: Duration) -> bool {
        let everyday = matches!(
            heard.understanding.verdict,
            Verdict::Other | Verdict::Nothing | Verdict::Reply(_) | Verdict::Act(_)
        );
        let named = heard.wake.is_none() || matches!(heard.understanding.verdict, Verdict::Other);
        if !everyday || !named || !self.telephone.is_asking() || self.situation() != Situation::Idle
        {
            return false;
        }
        if self.recorder.incident().is_none() {
            self.recorder.begin_incident();
        }
        self.recorder.heard(heard, now);
        self.recorder
            .human("choice", "speech", "one of several names", now);
        let said = &heard.understanding.transcript.text;
        self.telephone.chosen(said, &mut self.endpoint, now);
        self.addressee_chosen(now);
        self.drain_telephone(now);
        self.finish("answered", "one of several names was chosen", now);
        true
    }

    /// An event of SIP goes to the emergency call or to the telephone.
    pub(super) fn sip_event(&mut self, event: Event, now: Duration) {
        let emergency = match &event {
            Event::Incoming {
                request, source, ..
            } => !self.telephone.belongs() || self.is_call_back(request, source, now),
            other => call_of(other).is_some_and(|call| self.calling.owns(call)),
        };
        if emergency {
            self.calling.sip_event(event, &mut self.endpoint, now);
        } else {
            self.telephone.sip_event(event, &mut self.endpoint, now);
        }
    }

    /// Within the window after an emergency call every call is the call-taker's, but for those that our hub vouches to be
    /// from a device or person of the home: taking a wrong one costs little, missing the right one much.
    fn is_call_back(&self, request: &Request, source: &Source, now: Duration) -> bool {
        self.calling.expects_call_back(now) && !self.telephone.is_of_home(request, source)
    }

    /// The emergency call comes first: what it needs ends here. The INVITE has gone to the endpoint before.
    pub(super) fn give_way(&mut self, now: Duration) {
        let emergency = self.calling.is_active() || self.calling.is_called_back();
        if emergency {
            self.telephone.stand_back(&mut self.endpoint, now);
        } else {
            self.telephone.resume_service();
        }
        // A call-taker whom nobody hears cannot help.
        if let Some(percent) = self.volume.in_emergency(emergency) {
            self.outputs.push_back(Output::Volume(percent));
        }
        self.telephone.set_engaged(self.question.is_some());
        self.messages_give_way(emergency);
        self.skills_give_way(emergency, now);
    }

    /// Carries out what the telephone wants; true when something happened.
    pub(super) fn drain_telephone(&mut self, now: Duration) -> bool {
        let mut moved = self.telephone.run(&mut self.endpoint, now);
        // Before its tone and its words: that somebody listens is heard, whatever the volume.
        let dropped_into = self.telephone.is_dropped_into();
        if let Some(percent) = self.volume.while_dropped_into(dropped_into) {
            self.outputs.push_back(Output::Volume(percent));
        }
        while let Some(wanted) = self.telephone.poll_output() {
            moved = true;
            match wanted {
                Wanted::Say(text) => self.say(&text, now),
                Wanted::Tone(tone) if self.calling.is_quiet() && tone.is_some() => {}
                Wanted::Tone(tone) => self.telephone_tone(tone),
                Wanted::Light => self.rest_light(),
                Wanted::Packet { from, to, bytes } => {
                    self.outputs.push_back(Output::Media { from, to, bytes });
                }
                Wanted::Play(samples) => self.outputs.push_back(Output::Play(samples)),
                Wanted::Ping(target) => self.outputs.push_back(Output::Sip {
                    target,
                    bytes: b"\r\n\r\n".to_vec(),
                }),
                Wanted::Close { transport, remote } => {
                    self.endpoint.handle_input(
                        hearthline_sip::endpoint::Input::StreamClosed { transport, remote },
                        now,
                    );
                    self.outputs
                        .push_back(Output::CloseStream { transport, remote });
                }
                Wanted::KnownKeys(bytes) => self.outputs.push_back(Output::KeepKnownKeys(bytes)),
                Wanted::Record(entry) => self.recorder.write(entry, None, now),
                Wanted::Step(what) => self.step(Step::Telephone { what }),
            }
        }
        moved
    }

    /// The light when nobody is being heard: the emergency call's, else the telephone's.
    pub(super) fn rest_light(&mut self) {
        if self.calling.is_active() || self.calling.is_called_back() || self.question.is_some() {
            return;
        }
        self.light(match self.telephone.shows() {
            Shows::Nothing if self.messages.has_unheard() => Light::Unread,
            Shows::Nothing => Light::Off,
            Shows::OnCall => Light::OnCall,
            Shows::Ringing => Light::Ringing,
            Shows::DropIn => Light::DropIn,
        });
    }
}

/// Which call an event is about.
fn call_of(event: &Event) -> Option<CallHandle> {
    match event {
        Event::Progress { call, .. }
        | Event::Reached { call, .. }
        | Event::TargetFailed { call, .. }
        | Event::Answered { call, .. }
        | Event::Failed { call, .. }
        | Event::RedirectNeedsTargets { call, .. }
        | Event::ForkEnded { call, .. }
        | Event::Incoming { call, .. }
        | Event::IncomingCancel { call, .. }
        | Event::Confirmed { call, .. }
        | Event::AckMissing { call }
        | Event::Acknowledged { call, .. }
        | Event::Reinvite { call, .. }
        | Event::Update { call, .. }
        | Event::ReinviteAnswered { call, .. }
        | Event::SessionRefreshed { call }
        | Event::SessionExpired { call }
        | Event::Info { call, .. }
        | Event::Ended { call, .. } => Some(*call),
        _ => None,
    }
}
