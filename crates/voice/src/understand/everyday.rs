//! The everyday sentences of one household: a compiled language, and the house that it speaks about.
//!
//! It reads what the emergency judge and the sentences of calls and messages have left, and nothing else: a text that the
//! emergency reading takes, questions or refuses has no everyday meaning, whatever a template of the owner says.
use std::sync::Arc;

use super::Country;
use super::mishearing::hear;
use super::sentences::{
    Datum, House, Lists, Moment, Outcome, Program, Recognition, RenderError, Responses, World,
    left_by_emergency,
};

/// Compiled sentences with the names of a house. Shared by the ear, which reads, and the device, which answers.
#[derive(Debug)]
pub struct Everyday {
    program: Arc<Program>,
    house: House,
    lists: Lists,
    context: Vec<(String, Datum)>,
    responses: Arc<Responses>,
}

impl Everyday {
    /// The sentences of a language for a house.
    #[must_use]
    pub fn new(program: Arc<Program>, house: House) -> Self {
        Self::over(program, Arc::new(Responses::new()), house)
    }

    /// The same sentences for a house that has changed: its names, its states, the room.
    #[must_use]
    pub fn with_house(&self, house: House) -> Self {
        Self::over(
            Arc::clone(&self.program),
            Arc::clone(&self.responses),
            house,
        )
    }

    fn over(program: Arc<Program>, responses: Arc<Responses>, house: House) -> Self {
        Self {
            lists: house.lists(),
            context: house.context(),
            program,
            house,
            responses,
        }
    }

    /// The language ("en", "pt-BR").
    #[must_use]
    pub fn language(&self) -> &str {
        self.program.language()
    }

    /// The house that the sentences speak about.
    #[must_use]
    pub fn house(&self) -> &House {
        &self.house
    }

    /// What a text means; nothing when it speaks of an emergency in any way, or when no sentence reads it.
    #[must_use]
    pub fn read(&self, said: &str, country: Country) -> Option<Recognition> {
        if !left_by_emergency(&hear(said, country).reading) {
            return None;
        }
        self.program.recognise(said, &self.lists, &self.context)
    }

    /// The spoken response to a sentence, with what came of doing it; empty where the language has none.
    ///
    /// # Errors
    /// When the template is broken or asks for what there is not.
    pub fn response(
        &self,
        meant: &Recognition,
        outcome: &Outcome,
        now: Moment,
    ) -> Result<String, RenderError> {
        let house = &self.house;
        let world = World { house, now };
        self.responses
            .render_outcome(&self.program, meant, outcome, &world)
    }
}
