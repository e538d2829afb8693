//! The 200 to a REGISTER (RFC 3261 section 10.3 step 8 and what the extensions add).

use core::time::Duration;

use super::binding::{Aor, Binding, RECEIVED};
use super::reading::Reading;
use super::{Registering, Registrar};
use crate::gruu::Gruus;
use crate::message::Response;
use crate::{HeaderName, StatusCode};

impl Registrar {
    pub(super) fn success(
        &mut self,
        input: &Registering<'_>,
        aor: &Aor,
        reading: &Reading,
        tag: &str,
        now: Duration,
    ) -> Response {
        let mut response = Response::to_request(input.request, StatusCode::OK, Some(tag));
        let bindings: Vec<Binding> = self.bindings(aor, now).cloned().collect();
        for binding in &bindings {
            let value = self.contact(aor, binding, reading.gruu, now);
            response.headers.push(HeaderName::Contact, value);
        }
        for value in &reading.path {
            response.headers.push_display(HeaderName::Path, value);
        }
        if reading.outbound {
            response.headers.push(HeaderName::Require, "outbound");
            let seconds = self.config.flow_timer_s.to_string();
            response.headers.push(HeaderName::FlowTimer, seconds);
        }
        response
            .headers
            .push(HeaderName::Supported, "path, outbound, gruu");
        for route in &self.config.service_route {
            response
                .headers
                .push_display(HeaderName::ServiceRoute, route);
        }
        if let Some(seconds) = input.unix_time_s {
            response.headers.push(HeaderName::Date, http_date(seconds));
        }
        response
    }

    fn contact(&mut self, aor: &Aor, binding: &Binding, gruu: bool, now: Duration) -> String {
        let mut contact = binding.contact.clone();
        let left = binding.expires_at.saturating_sub(now).as_secs();
        contact.params.remove(RECEIVED);
        contact.params.set("expires", &left.to_string());
        if gruu && let Some(instance) = &binding.instance_id {
            let public = Gruus::public(&aor.to_uri(), instance).to_string();
            contact.params.set_quoted("pub-gruu", &public);
            if binding.gruu_id != 0 {
                let nonce = self.tokens.next_u64();
                let temporary = self.gruus.temporary(&aor.to_uri(), binding.gruu_id, nonce);
                contact
                    .params
                    .set_quoted("temp-gruu", &temporary.to_string());
            }
        }
        contact.to_string()
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 3261 section 20.17), from seconds since 1970.
#[must_use]
pub fn http_date(unix_time_s: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let days = unix_time_s / 86_400;
    let seconds = unix_time_s % 86_400;
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    // Whole cycles of 400 years first, so that no number makes it count for long.
    let mut year = 1970 + days / 146_097 * 400;
    let mut left = days % 146_097;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    for length in lengths {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    let day = usize::try_from(days % 7).unwrap_or(0);
    format!(
        "{}, {:02} {} {year:04} {:02}:{:02}:{:02} GMT",
        DAYS[day],
        left + 1,
        MONTHS[month.min(11)],
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_the_rfc_writes_them() {
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(4_107_542_399), "Sun, 28 Feb 2100 23:59:59 GMT");
        assert!(http_date(u64::MAX).ends_with("GMT"));
    }
}
