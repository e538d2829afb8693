//! Lines on standard output. A reader who has gone away (`hearth … | head`) ends the program quietly.
use std::fmt;
use std::io::{self, Write};

/// Prints one line, or ends the program when nobody reads any more.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_fmt(text).and_then(|()| out.write_all(b"\n")) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("hearth: cannot write to standard output: {error}");
        std::process::exit(2);
    }
}

/// `println!` that survives a closed pipe.
macro_rules! out {
    ($($text:tt)*) => { $crate::print::line(format_args!($($text)*)) };
}
pub(crate) use out;
