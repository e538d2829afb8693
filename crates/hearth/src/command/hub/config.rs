//! What a hub that carries calls is set up with: the household's file first, then what is given beside it.
use std::net::SocketAddr;

use hearthline_emergency::numbers::Country;
use hearthline_hub::gateway::LinesConfig;
use hearthline_hub::sip::SipConfig;
use hearthline_sip::outbound::FlowTransport;
use hearthline_speaker::config::Household;

use super::{Failure, Run};
use crate::household;

impl Run {
    /// The household's file, if one was given.
    pub(super) fn household(&self) -> Result<Option<Household>, Failure> {
        let Some(file) = &self.config else {
            return Ok(None);
        };
        household::read(Some(file))
            .map(Some)
            .map_err(Failure::Input)
    }

    /// Whose numbers are dialled here, and where SIP listens.
    pub(super) fn sip_config(&self, household: Option<&Household>) -> Result<SipConfig, Failure> {
        let mut config = SipConfig::new(self.home_country(household)?);
        let of = |wanted: FlowTransport, port: u16| match self.sip_listen.as_slice() {
            [] => vec![SocketAddr::from(([127, 0, 0, 1], port))],
            given => {
                let fits = given.iter().filter(|(transport, _)| *transport == wanted);
                fits.map(|(_, address)| *address).collect()
            }
        };
        config.udp = of(FlowTransport::Udp, 5060);
        config.tcp = of(FlowTransport::Tcp, 5060);
        config.tls = of(FlowTransport::Tls, 5061);
        Ok(config)
    }

    fn home_country(&self, household: Option<&Household>) -> Result<Country, Failure> {
        if let Some(country) = self.country {
            return Ok(country);
        }
        let Some(household) = household else {
            return Err(Failure::Input(
                "--sip wants to know whose emergency numbers are dialled here: give --country, or --config FILE"
                    .to_owned(),
            ));
        };
        household::numbers_country(household).ok_or_else(|| {
            Failure::Input(
                "neither [device] country nor [address] country names one country; give --country"
                    .to_owned(),
            )
        })
    }

    /// How the lines run.
    pub(super) fn lines_config(
        &self,
        household: Option<&Household>,
        sip: &SipConfig,
    ) -> Result<LinesConfig, Failure> {
        let file = household.map(|household| &household.hub);
        let area_code = self.area_code.clone();
        let tls_roots = self.tls_roots.clone();
        let mut config = LinesConfig {
            area_code: area_code.or_else(|| file?.area_code.clone()),
            tls_roots: tls_roots.or_else(|| file?.tls_roots.clone()),
            ..LinesConfig::default()
        };
        if let Some(address) = self.lines_listen {
            config.listen = address;
        }
        if let Some(household) = household {
            let profile = household::hub_profile(household, &sip.domain);
            config.profile = Some(profile.map_err(Failure::Input)?);
        }
        config
            .check(sip.country)
            .map_err(|fault| Failure::Input(fault.to_string()))?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Given {
        #[command(flatten)]
        run: Run,
    }

    fn set_up(arguments: &[&str]) -> Result<(SipConfig, LinesConfig), String> {
        let given = ["hub", "--sip"].iter().chain(arguments);
        let run = Given::try_parse_from(given)
            .map_err(|error| error.to_string())?
            .run;
        let household = run.household().map_err(|error| error.to_string())?;
        let sip = run.sip_config(household.as_ref());
        let sip = sip.map_err(|error| error.to_string())?;
        let lines = run.lines_config(household.as_ref(), &sip);
        Ok((sip, lines.map_err(|error| error.to_string())?))
    }

    fn file(folder: &tempfile::TempDir, more: &str) -> String {
        let path = folder.path().join("household.toml");
        let text = format!(
            "[device]\nname = \"Kitchen\"\ncountry = \"EU\"\n[address]\ncountry = \"DE\"\nA3 = \"Beispielstadt\"\n\
             LOC = \"kitchen\"\n[person]\nname = \"Drill Household\"\ncallback = \"+493055501234\"\n{more}"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_households_file_says_country_address_and_area_and_flags_go_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, "[hub]\narea_code = \"030\"\n");
        let (sip, lines) = set_up(&["--config", &file]).unwrap();
        assert_eq!(sip.country, Country::Germany);
        assert_eq!(lines.area_code.as_deref(), Some("030"));
        let profile = lines.profile.unwrap();
        let civic = format!("{:?}", profile.civic.unwrap());
        assert!(
            civic.contains("Beispielstadt") && !civic.contains("kitchen"),
            "{civic}"
        );
        assert_eq!(
            profile.callback_number.as_deref(),
            Some("tel:+493055501234")
        );
        assert_eq!(profile.device.name, "Hub");
        let given = ["--config", &file, "--country", "AT", "--area-code", "01"];
        let (sip, lines) = set_up(&given).unwrap();
        assert_eq!(sip.country, Country::Austria);
        assert_eq!(lines.area_code.as_deref(), Some("01"));
    }

    #[test]
    fn what_cannot_be_is_said_before_anything_runs() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("none.pem");
        let none = none.to_str().unwrap();
        let no_code = file(&folder, "[hub]\narea_code = \"Berlin\"\n");
        for (arguments, words) in [
            (vec![], "--country"),
            (vec!["--config", "/nowhere/at/all.toml"], "all.toml"),
            (vec!["--config", &no_code], "area_code"),
            (vec!["--country", "DE", "--area-code", "x"], "area code"),
            (vec!["--country", "DE", "--tls-roots", none], "none.pem"),
        ] {
            let error = set_up(&arguments).unwrap_err();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }
}
