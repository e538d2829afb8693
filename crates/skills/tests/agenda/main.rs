//! The agenda from outside: what it says, rings and keeps.
mod alarms_of_every_zone;
mod clocks_that_are_set;
mod home;
mod journal_of_any_bytes;
mod lists_and_stopwatch;
mod power_cuts_lose_nothing;
mod rings_and_gives_way;
mod the_hub_keeps_a_copy;
mod timers_by_name_length_and_place;
mod weather_as_it_is_asked;
mod words_of_any_kind;
