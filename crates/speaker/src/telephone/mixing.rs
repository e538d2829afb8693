//! Three-way calls: every side hears the room and the other sides, on the microphone's clock.
//!
//! ```text
//! room ─► each leg;  leg A ─► loudspeaker and leg B;  leg B ─► loudspeaker and leg A
//! ```
use super::call::Call;

/// What is played here and what each call is sent, for one piece of the room's sound.
pub(super) fn mix(room: &[i16], calls: &mut [&mut Call]) -> (Vec<i16>, Vec<Vec<i16>>) {
    let sides: Vec<Vec<i16>> = calls
        .iter_mut()
        .map(|call| {
            (0..room.len())
                .map(|_| call.heard.pop_front().unwrap_or(0))
                .collect()
        })
        .collect();
    let all: Vec<i32> = (0..room.len())
        .map(|at| sides.iter().map(|side| i32::from(side[at])).sum())
        .collect();
    let played = all.iter().map(|sum| clipped(*sum)).collect();
    let sent = sides
        .iter()
        .map(|own| {
            (0..room.len())
                .map(|at| clipped(all[at] - i32::from(own[at]) + i32::from(room[at])))
                .collect()
        })
        .collect();
    (played, sent)
}

fn clipped(sum: i32) -> i16 {
    i16::try_from(sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX))).unwrap_or(0)
}
