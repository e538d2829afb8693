//! Which bus.

use std::io;
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

/// Where the system's own bus is: the one that real modems are on.
const SYSTEM_BUS: &[&str] = &[
    "/run/dbus/system_bus_socket",
    "/var/run/dbus/system_bus_socket",
];

/// A bus on this machine that is not the system's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusAddress(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Path(PathBuf),
    Abstract(String),
}

/// Why an address is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another kind of address.
    #[error(
        "a bus's address is unix:path=FILE or unix:abstract=NAME, as in dbus-daemon --session --address=unix:path=FILE"
    )]
    Shape,
    /// The system's own.
    #[error(
        "the system's bus has real modems, which this version does not touch: name a bus with a drill stand-in (hearth modem stand-in)"
    )]
    System,
}

impl BusAddress {
    /// Reads one address in D-Bus's form.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let rows = text.strip_prefix("unix:").ok_or(AddressError::Shape)?;
        let mut place = None;
        for row in rows.split(',') {
            let (key, value) = row.split_once('=').ok_or(AddressError::Shape)?;
            // Escapes and lists of addresses are left out: nobody's private bus needs them.
            if value.is_empty() || value.bytes().any(|byte| matches!(byte, b'%' | b';' | 0)) {
                return Err(AddressError::Shape);
            }
            match key {
                "path" => place = Some(Place::Path(PathBuf::from(value))),
                "abstract" => place = Some(Place::Abstract(value.to_owned())),
                "guid" => {}
                _ => return Err(AddressError::Shape),
            }
        }
        let own = Self(place.ok_or(AddressError::Shape)?);
        own.check()?;
        Ok(own)
    }

    /// Whether it is not the system's, links followed. Asked again before each connection.
    fn check(&self) -> Result<(), AddressError> {
        let Place::Path(path) = &self.0 else {
            return Ok(());
        };
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let own = real(path);
        let same = |system: &Path| path == system || own == system || own == real(system);
        if SYSTEM_BUS.iter().any(|system| same(Path::new(system))) {
            return Err(AddressError::System);
        }
        Ok(())
    }

    /// Connects.
    ///
    /// # Errors
    /// What the system says.
    pub async fn connect(&self) -> io::Result<UnixStream> {
        self.check().map_err(io::Error::other)?;
        match &self.0 {
            Place::Path(path) => UnixStream::connect(path).await,
            Place::Abstract(name) => {
                use std::os::linux::net::SocketAddrExt as _;
                let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
                let socket = std::os::unix::net::UnixStream::connect_addr(&address)?;
                socket.set_nonblocking(true)?;
                UnixStream::from_std(socket)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_bus_is_refused() {
        assert!(BusAddress::parse("unix:path=/tmp/drill-bus").is_ok());
        assert!(BusAddress::parse("unix:abstract=drill,guid=00ff").is_ok());
        for system in SYSTEM_BUS {
            let address = format!("unix:path={system}");
            assert_eq!(BusAddress::parse(&address), Err(AddressError::System));
        }
        for no in [
            "",
            "unix:",
            "unix:path=",
            "tcp:host=127.0.0.1,port=1",
            "autolaunch:",
            "unix:path=/a;unix:path=/b",
            "unix:runtime=yes",
        ] {
            assert_eq!(BusAddress::parse(no), Err(AddressError::Shape), "{no}");
        }
    }

    #[test]
    fn a_link_to_the_systems_bus_is_refused_too() {
        let system = Path::new(SYSTEM_BUS[0]);
        if !system.exists() {
            println!("skipped: this machine has no system bus");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("bus");
        std::os::unix::fs::symlink(system, &link).unwrap();
        let address = format!("unix:path={}", link.display());
        assert_eq!(BusAddress::parse(&address), Err(AddressError::System));
    }
}
