//! Where the device stands, by the system's setting: the link `/etc/localtime`, as every Linux has it.
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::skill::agenda::{TZIF_BYTES_MAX, Zone};

/// Behind this folder a path is the name of a zone.
const FOLDER: &str = "zoneinfo/";

/// The zone that the environment (`TZ`) or the system names, and what is to be told about it: a system without a setting
/// is in universal time.
#[must_use]
pub fn system_zone(named: Option<&str>, localtime: &Path) -> (Zone, Option<String>) {
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        let name = name.trim_start_matches(':');
        return match Zone::named(name) {
            Ok(zone) => (zone, None),
            Err(error) => (Zone::utc(), Some(format!("TZ: {error}. Times are UTC"))),
        };
    }
    let linked = fs::canonicalize(localtime).ok();
    let name = linked
        .as_deref()
        .and_then(Path::to_str)
        .and_then(|path| path.split_once(FOLDER))
        .map(|(_, name)| name.trim_start_matches("posix/").to_owned());
    if let Some(zone) = name.as_deref().and_then(|name| Zone::named(name).ok()) {
        return (zone, None);
    }
    // A copy in place of a link.
    let mut bytes = Vec::new();
    let limit = TZIF_BYTES_MAX as u64 + 1;
    let read = File::open(localtime).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    match read {
        Ok(_) => match Zone::from_tzif("local", &bytes) {
            Ok(zone) => (zone, None),
            Err(error) => (
                Zone::utc(),
                Some(format!("{}: {error}. Times are UTC", localtime.display())),
            ),
        },
        Err(_) => (Zone::utc(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_a_link_or_nothing() {
        let noon = 1_795_435_200_000;
        let hour = |zone: &Zone| zone.local(noon).hour();
        let folder = tempfile::tempdir().unwrap();
        let localtime = folder.path().join("localtime");
        let nothing = system_zone(None, &localtime);
        assert_eq!((hour(&nothing.0), nothing.1), (12, None));
        let (zone, told) = system_zone(Some("America/Denver"), &localtime);
        assert_eq!((hour(&zone), told), (5, None));
        let (zone, told) = system_zone(Some("Mars/Base"), &localtime);
        assert!(hour(&zone) == 12 && told.is_some_and(|told| told.contains("Mars/Base")));
        let zones = folder.path().join("zoneinfo/Europe");
        fs::create_dir_all(&zones).unwrap();
        fs::write(zones.join("Berlin"), "looked up by its name").unwrap();
        std::os::unix::fs::symlink(zones.join("Berlin"), &localtime).unwrap();
        assert_eq!(hour(&system_zone(None, &localtime).0), 13);
        fs::remove_file(&localtime).unwrap();
        fs::write(&localtime, "no zone").unwrap();
        assert!(system_zone(None, &localtime).1.is_some());
    }
}
