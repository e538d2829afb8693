//! CSeq, RSeq and RAck: the sequence numbers.

use std::fmt;

use crate::method::Method;
use crate::scan::{Fault, Scan};

/// CSeq (RFC 3261 section 20.16).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// The number, below 2^31 (section 8.1.1.5).
    pub seq: u32,
    /// The method of the request it belongs to.
    pub method: Method,
}

/// RAck (RFC 3262 section 7.2): which reliable provisional response a PRACK acknowledges.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RAck {
    /// RSeq of the response.
    pub rseq: u32,
    /// CSeq of the response.
    pub cseq: CSeq,
}

/// CSeq numbers are less than this.
pub const CSEQ_END: u32 = 1 << 31;

impl CSeq {
    /// A CSeq value.
    #[must_use]
    pub fn new(seq: u32, method: Method) -> Self {
        CSeq { seq, method }
    }

    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<CSeq, Fault> {
        scan.skip_lws();
        let seq = scan.number(u64::from(CSEQ_END - 1), "expected a sequence number")?;
        let before = scan.at();
        scan.skip_lws();
        if scan.at() == before {
            return scan.fault("expected a space after the sequence number");
        }
        let method = scan.token("expected a method after the sequence number")?;
        let Some(method) = Method::parse(method) else {
            return scan.fault("expected a method after the sequence number");
        };
        Ok(CSeq {
            seq: u32::try_from(seq).unwrap_or(0),
            method,
        })
    }
}

impl RAck {
    pub(crate) fn scan(scan: &mut Scan<'_>) -> Result<RAck, Fault> {
        scan.skip_lws();
        let rseq = scan.number(u64::from(u32::MAX), "expected a response number")?;
        let before = scan.at();
        let cseq = CSeq::scan(scan)?;
        if before == scan.at() {
            return scan.fault("expected a space after the response number");
        }
        Ok(RAck {
            rseq: u32::try_from(rseq).unwrap_or(0),
            cseq,
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.method)
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rseq, self.cseq)
    }
}
