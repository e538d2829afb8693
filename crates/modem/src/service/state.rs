//! States, with ModemManager's names and numbers.

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)+ } else $other:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Of ModemManager's number; one that is unknown here counts as unknown there.
            #[must_use]
            pub fn of(number: i64) -> Self {
                match number {
                    $($number => Self::$variant,)+
                    _ => Self::$other,
                }
            }

            /// ModemManager's number.
            #[must_use]
            pub fn number(self) -> i32 {
                match self {
                    $(Self::$variant => $number,)+
                }
            }
        }
    };
}

states! {
    /// `MMCallState`.
    CallState {
        /// Not started.
        Unknown = 0,
        /// The number is being dialled.
        Dialing = 1,
        /// It rings there.
        RingingOut = 2,
        /// It rings here.
        RingingIn = 3,
        /// Both hear each other.
        Active = 4,
        /// On hold.
        Held = 5,
        /// A second call waits.
        Waiting = 6,
        /// Over.
        Terminated = 7,
    } else Unknown
}

states! {
    /// `MMCallStateReason`.
    CallStateReason {
        /// Not said.
        Unknown = 0,
        /// Ours, started.
        OutgoingStarted = 1,
        /// Theirs, new.
        IncomingNew = 2,
        /// Accepted.
        Accepted = 3,
        /// Ended in order.
        Terminated = 4,
        /// Refused, or busy.
        RefusedOrBusy = 5,
        /// The network or the modem failed.
        Error = 6,
        /// The modem could not carry sound.
        AudioSetupFailed = 7,
        /// Transferred.
        Transferred = 8,
        /// Sent on.
        Deflected = 9,
    } else Unknown
}

states! {
    /// `MMCallDirection`.
    CallDirection {
        /// Not said.
        Unknown = 0,
        /// They call.
        Incoming = 1,
        /// We call.
        Outgoing = 2,
    } else Unknown
}

states! {
    /// `MMModemState`.
    ModemState {
        /// It does not work.
        Failed = -1,
        /// Not said.
        Unknown = 0,
        /// Being made ready.
        Initializing = 1,
        /// Its card wants a PIN.
        Locked = 2,
        /// Switched off.
        Disabled = 3,
        /// Being switched off.
        Disabling = 4,
        /// Being switched on.
        Enabling = 5,
        /// On, in no network.
        Enabled = 6,
        /// Looking for a network.
        Searching = 7,
        /// In a network.
        Registered = 8,
        /// In a network, data going off.
        Disconnecting = 9,
        /// In a network, data coming on.
        Connecting = 10,
        /// In a network, data on.
        Connected = 11,
    } else Unknown
}

states! {
    /// `MMModemLock`, the common ones.
    Lock {
        /// Not said.
        Unknown = 0,
        /// Open.
        None = 1,
        /// The card wants its PIN.
        SimPin = 2,
        /// The card's second PIN, which calls do not need.
        SimPin2 = 3,
        /// Too many wrong PINs: the card wants its PUK.
        SimPuk = 4,
        /// The same of the second PIN.
        SimPuk2 = 5,
        /// The modem belongs to another network.
        Other = 9999,
    } else Other
}

states! {
    /// `MMModem3gppRegistrationState`.
    Registration {
        /// Not registered, not looking.
        Idle = 0,
        /// At home.
        Home = 1,
        /// Looking.
        Searching = 2,
        /// The network refuses us.
        Denied = 3,
        /// Not said.
        Unknown = 4,
        /// In a foreign network.
        Roaming = 5,
        /// At home, short messages only.
        HomeSmsOnly = 6,
        /// In a foreign network, short messages only.
        RoamingSmsOnly = 7,
        /// Emergency calls only.
        EmergencyOnly = 8,
        /// At home, data first.
        HomeCsfbNotPreferred = 9,
        /// In a foreign network, data first.
        RoamingCsfbNotPreferred = 10,
        /// Attached for restricted services.
        AttachedRlos = 11,
    } else Unknown
}

states! {
    /// `MMSmsState`.
    SmsState {
        /// Not said.
        Unknown = 0,
        /// Stored.
        Stored = 1,
        /// Parts of it are still missing.
        Receiving = 2,
        /// All of it came.
        Received = 3,
        /// On its way.
        Sending = 4,
        /// Sent.
        Sent = 5,
    } else Unknown
}

states! {
    /// `MMSmsPduType`, the common ones.
    SmsKind {
        /// Not said.
        Unknown = 0,
        /// One that came.
        Deliver = 1,
        /// One that goes.
        Submit = 2,
        /// Word about one that went.
        StatusReport = 3,
    } else Unknown
}

impl CallState {
    /// Whether both ends are connected.
    #[must_use]
    pub fn is_connected(self) -> bool {
        matches!(self, Self::Active | Self::Held)
    }
}

impl ModemState {
    /// Whether it is in a network.
    #[must_use]
    pub fn is_registered(self) -> bool {
        self.number() >= Self::Registered.number()
    }
}

impl Lock {
    /// Whether the card wants something before it serves.
    #[must_use]
    pub fn is_closed(self) -> bool {
        matches!(self, Self::SimPin | Self::SimPuk | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_modem_managers_own() {
        assert_eq!(CallState::of(4), CallState::Active);
        assert_eq!(CallState::of(99), CallState::Unknown);
        assert_eq!(ModemState::of(-1), ModemState::Failed);
        assert_eq!(ModemState::of(i64::MAX), ModemState::Unknown);
        assert_eq!(Lock::of(17), Lock::Other);
        assert_eq!(CallStateReason::RefusedOrBusy.number(), 5);
        assert!(ModemState::Connected.is_registered() && !ModemState::Searching.is_registered());
    }
}
