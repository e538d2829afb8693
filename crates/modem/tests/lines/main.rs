//! The line against a stand-in modem on a real `dbus-daemon`, and a telephone on the other side.
#![expect(clippy::unwrap_used, reason = "a test ends where something fails")]

mod calls_come_in;
mod calls_go_out;
mod dbus_messages;
mod emergencies_are_passed_on;
mod interfaces_are_modem_managers;
mod modems_fail;
mod phone;
mod private_bus;
mod texts_both_ways;
mod the_real_modem_manager;
mod what_the_bus_says_is_doubted;
