//! The rooms' timers, alarms and reminders: the agenda as every speaker has it, on a disk that takes everything at once.
use std::sync::Arc;

use hearthline_speaker::device::Input;
use hearthline_speaker::skill::agenda::{AgendaSkill, Zone, sentences_of};
use hearthline_voice::understand::everyday::Everyday;
use hearthline_voice::understand::sentences::{Grammar, House, NumberWords, Program};

use super::Neighbours;

impl Neighbours {
    /// The device of a room has an agenda from now on, with what its disk keeps of it, and knows its sentences.
    ///
    /// # Panics
    /// When our own sentences cannot be compiled.
    pub fn gets_agenda(&mut self, room: usize) {
        let mut grammar = Grammar::new("en");
        for file in sentences_of("en") {
            grammar.add_ours(file.name, file.yaml);
        }
        let (program, complaints) = Program::compile(&grammar, &NumberWords::default());
        assert!(complaints.is_empty(), "{complaints:?}");
        let everyday = Arc::new(Everyday::new(Arc::new(program), House::default()));
        let bytes = self.tokens.fork(&format!("journal at {:?}", self.now));
        let bytes = bytes.fork(&self.rooms[room].name).next_bytes();
        let name = bytes[..8]
            .iter()
            .fold(0, |name, byte| name << 8 | u64::from(*byte));
        let skill = AgendaSkill::new(Zone::utc()).with_journal(name.max(1));
        let (now, room_of) = (self.now, &mut self.rooms[room]);
        let kept = room_of.kept.entry("agenda").or_default().clone();
        room_of.device.know_sentences(everyday, now);
        room_of.device.add_skill(Box::new(skill), &kept, now);
        self.drain(room);
    }

    /// The disk of a room is lost, and its device begins anew.
    pub fn loses_its_disk(&mut self, room: usize) {
        self.rooms[room].kept.insert("agenda", Vec::new());
        self.restart(room);
    }

    /// Somebody in a room holds the button and types: an everyday sentence.
    pub fn types(&mut self, room: usize, text: &str) {
        self.input(room, Input::Typed(text));
    }
}
