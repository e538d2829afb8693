//! How far into a long recording the ear is: on standard error, and only where a person looks at it.
use hearthline_speaker::io::recording::Recording;
use indicatif::{ProgressBar, ProgressStyle};

/// Shorter recordings are heard before a bar would be seen, in seconds.
const LONG_S: f64 = 60.0;

/// The bar of one recording; it goes when it is dropped.
pub(super) struct Bar {
    /// Which file of how many.
    prefix: String,
    shown: Option<ProgressBar>,
}

impl Bar {
    /// Nothing is shown before a long recording is being read.
    pub(super) fn new(number: usize, files: usize) -> Self {
        let prefix = if files > 1 {
            format!("{}/{files} ", number + 1)
        } else {
            String::new()
        };
        Self {
            prefix,
            shown: None,
        }
    }

    /// Moves to where the recording is.
    pub(super) fn at(&mut self, recording: &Recording) {
        let Some(total) = recording.seconds_total().filter(|total| *total > LONG_S) else {
            return;
        };
        let bar = self.shown.get_or_insert_with(|| {
            let bar = ProgressBar::new(total as u64);
            bar.set_style(
                ProgressStyle::with_template(
                    "{prefix}hearing {bar:32} {msg} {percent}% {eta} left",
                )
                .expect("the template is well formed"),
            );
            bar.set_prefix(self.prefix.clone());
            bar
        });
        let seconds = recording.seconds_read() as u64;
        if seconds != bar.position() {
            bar.set_position(seconds);
            bar.set_message(format!("{} of {}", clock(seconds), clock(total as u64)));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }
}

/// Hours, minutes, seconds.
fn clock(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn ten_hours_are_told_in_hours() {
        assert_eq!(super::clock(36_000), "10:00:00");
        assert_eq!(super::clock(59), "0:00:59");
    }
}
