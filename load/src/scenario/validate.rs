//! Validates the fields of a scenario beyond their types, and names the first that is invalid. Pure.

use reqwest::Url;

use super::{Body, Model, Scenario};

/// The command-api's limit of items per request (DESIGN §5).
const MAX_ITEMS: usize = 10_000;
const MAX_USERS: f64 = 20_000.0;
const MAX_RATE: f64 = 1_000_000.0;
/// Ids have at most 128 characters, and an event's id contains the test id.
const MAX_TEST_ID_LEN: usize = 64;

/// A field, and what is wrong with it.
type InvalidField = (String, String);

impl Scenario {
    /// The first invalid field.
    pub(super) fn first_invalid_field(&self) -> Option<InvalidField> {
        self.invalid_stages()
            .or_else(|| self.invalid_players())
            .or_else(|| self.invalid_number())
            .or_else(|| self.invalid_test_id())
            .or_else(|| self.invalid_reads())
            .or_else(|| self.invalid_chaos())
            .or_else(|| self.invalid_targets())
    }

    fn invalid_stages(&self) -> Option<InvalidField> {
        let (wanted, max) = match self.model {
            Model::Players if self.stages.is_empty() => return None,
            Model::Players => {
                return invalid("stages", "are not allowed with the model \"players\"");
            }
            _ if self.stages.is_empty() => {
                return invalid("stages", "are missing; expected at least one");
            }
            Model::Closed => ("users", MAX_USERS),
            Model::Open => ("rate", MAX_RATE),
        };
        for (number, stage) in self.stages.iter().enumerate() {
            let (level, other) = match self.model {
                Model::Closed => (stage.users, ("rate", stage.rate)),
                _ => (stage.rate, ("users", stage.users)),
            };
            if other.1.is_some() {
                let field = format!("stages.{number}.{}", other.0);
                return invalid(
                    field,
                    &format!("is not allowed in this model; expected {wanted}"),
                );
            }
            let is_possible = level.is_some_and(|level| (0.0..=max).contains(&level));
            if !is_possible {
                let field = format!("stages.{number}.{wanted}");
                return invalid(field, &format!("must be a number from 0 to {max}"));
            }
        }
        let start = self.start.unwrap_or_default();
        if !(0.0..=max).contains(&start) {
            return invalid("start", &format!("must be a number from 0 to {max}"));
        }
        let levels = self.levels();
        if levels.duration().is_zero() || levels.max_level() <= 0.0 {
            return invalid(
                "stages",
                "send nothing; expected a duration and a level above 0",
            );
        }
        None
    }

    fn invalid_players(&self) -> Option<InvalidField> {
        let speed = self.speed.unwrap_or(1.0);
        match self.model {
            Model::Players if self.body == Body::Untyped => invalid(
                "body",
                "\"untyped\" has no facts of players; expected command, cloudevent or mixed",
            ),
            Model::Players if !(0.1..=100_000.0).contains(&speed) => {
                invalid("speed", "must be a number from 0.1 to 100000")
            }
            Model::Open | Model::Closed if self.speed.is_some() => {
                invalid("speed", "is allowed with the model \"players\" only")
            }
            _ => None,
        }
    }

    fn invalid_number(&self) -> Option<InvalidField> {
        if !(1..=MAX_ITEMS).contains(&self.batch) {
            return invalid(
                "batch",
                &format!("must be a whole number from 1 to {MAX_ITEMS}"),
            );
        }
        if !(1..=MAX_USERS as usize).contains(&self.connections) {
            return invalid(
                "connections",
                &format!("must be a whole number from 1 to {MAX_USERS}"),
            );
        }
        if self.playbacks == 0 {
            return invalid("playbacks", "must be at least 1");
        }
        None
    }

    fn invalid_test_id(&self) -> Option<InvalidField> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let id = self.test_id.as_deref()?;
        let is_id = (1..=MAX_TEST_ID_LEN).contains(&id.len()) && id.chars().all(is_allowed);
        let allowed = format!("must be 1 to {MAX_TEST_ID_LEN} characters of A-Z a-z 0-9 . _ -");
        (!is_id).then(|| ("test_id".to_owned(), allowed))
    }

    fn invalid_reads(&self) -> Option<InvalidField> {
        let reads = self.reads.as_ref()?;
        if !(0.001..=MAX_RATE).contains(&reads.rate) {
            return invalid("reads.rate", "must be a number above 0");
        }
        if reads.paths.is_empty() || reads.paths.iter().any(|path| !path.starts_with('/')) {
            return invalid(
                "reads.paths",
                "must be paths of the query-api, each beginning with /",
            );
        }
        None
    }

    fn invalid_chaos(&self) -> Option<InvalidField> {
        let chaos = self.chaos.as_ref()?;
        if chaos.victims.is_empty() {
            return invalid("chaos.victims", "must name at least one");
        }
        if chaos.every.0.is_zero() {
            return invalid("chaos.every", "must be above 0s");
        }
        None
    }

    fn invalid_targets(&self) -> Option<InvalidField> {
        let targets = &self.targets;
        let urls = [
            ("command_api", &targets.command_api),
            ("query_api", &targets.query_api),
            ("projector", &targets.projector),
            ("clickhouse", &targets.clickhouse),
        ];
        let wrong = urls.into_iter().find(|(_, text)| {
            let url: Option<Url> = text.parse().ok();
            !url.is_some_and(|url| url.scheme() == "http" && url.path() == "/" && url.has_host())
        });
        if let Some((name, text)) = wrong {
            let field = format!("targets.{name}");
            return invalid(field, &format!("is {text:?}; expected http://HOST:PORT"));
        }
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let is_name = !targets.database.is_empty() && targets.database.chars().all(is_allowed);
        (!is_name).then(|| {
            (
                "targets.database".to_owned(),
                "must consist of letters, digits and _".to_owned(),
            )
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every caller returns an Option")]
fn invalid(field: impl Into<String>, reason: &str) -> Option<InvalidField> {
    Some((field.into(), reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::scenario::Scenario;

    fn refused(name: &str, overrides: &[&str]) -> String {
        let overrides: Vec<_> = overrides.iter().map(|&text| text.to_owned()).collect();
        Scenario::open(name, &overrides).unwrap_err().to_string()
    }

    #[test]
    fn an_invalid_or_unknown_field_is_named() {
        for (name, given, expected) in [
            ("steady", "ratee=5", "ratee"),
            ("steady", "stages.0.rate=-1", "stages.0.rate must be"),
            (
                "steady",
                "stages.0.users=5",
                "stages.0.users is not allowed",
            ),
            ("steady", "stages.0.for=soon", "is not a duration"),
            ("steady", "batch=0", "batch must be"),
            ("steady", "body=xml", "body"),
            ("steady", "speed=2", "speed is allowed"),
            ("steady", "test_id=a b", "test_id must be"),
            (
                "steady",
                "targets.query_api=https://x",
                "targets.query_api is",
            ),
            ("steady", "targets.qery_api=x", "qery_api"),
            ("players", "body=untyped", "body \"untyped\""),
            ("players", "speed=0", "speed must be"),
            ("mixed", "reads.rate=0", "reads.rate must be"),
            ("mixed", "reads.paths=[\"stats\"]", "reads.paths must be"),
            ("steady", "thresholds=[\"p95 < 1 banana\"]", "banana"),
            ("steady", "chaos.victims=[]", "chaos.victims must name"),
        ] {
            let reason = refused(name, &[given]);
            assert!(reason.contains(expected), "{given}: {reason}");
        }
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_the_names_of_all() {
        let reason = refused("stedy", &[]);
        assert!(reason.contains("predecessor-small"), "{reason}");
    }
}
