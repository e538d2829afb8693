//! Pure: timers, alarms, reminders, stopwatch and lists, and the journal that keeps them.
pub mod item;
pub mod journal;
pub mod rule;
pub mod spoken;
pub mod zone;
