//! The way of one request, from its body to the fate of each of its items: body → items → events → one append → answer.
//! Nothing is answered before every record concerned has its delivery report (invariant I1).

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use ess_schema::{Event, Position, Timestamp, UserId, decode::Item};
use ess_service::problem::Problem;

use crate::{
    admission::Admission,
    body::{
        binary_mode,
        items::{self, Items},
        media_type::{MediaType, Route},
        upload::Upload,
    },
    config::{LimitsConfig, LinksConfig},
    decode::{ItemDecoder, ids::IdempotencyKey},
    errors::{self, ItemError, RequestError},
    kafka::{Append, AppendError, Outcome},
    metrics,
    response::{AppendResponse, ListItem},
};

/// What every request needs.
pub(crate) struct AppendHandler {
    log: Arc<dyn Append>,
    admission: Arc<Admission>,
    limits: LimitsConfig,
    links: LinksConfig,
}

/// What a request asks for besides its body.
#[derive(Debug, Clone)]
pub(crate) struct AppendOptions {
    pub(crate) route: Route,
    pub(crate) key: Option<IdempotencyKey>,
    /// Append nothing if any item is invalid.
    pub(crate) all_or_nothing: bool,
    /// The only user whose events the caller may tell.
    pub(crate) only_user: Option<UserId>,
}

impl AppendHandler {
    pub(crate) fn new(log: Arc<dyn Append>, limits: LimitsConfig, links: LinksConfig) -> Self {
        Self {
            log,
            admission: Arc::new(Admission::new(&limits)),
            limits,
            links,
        }
    }

    /// Takes one request.
    ///
    /// # Errors
    /// The problem of the request as a whole, nothing of it being in the log; of a single item, why it has no position.
    pub(crate) async fn handle(
        &self,
        upload: Upload<'_>,
        options: &AppendOptions,
    ) -> Result<AppendResponse, Problem> {
        let headers = upload.headers();
        let media = upload.media(options.route);
        let admitted = media.and_then(|media| Ok((media, self.admission.admit()?)));
        let (media, mut admitted) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return Err(upload.refused(error, &self.limits).await.into()),
        };
        let body = upload.read(&self.limits, &mut admitted).await?;
        let reading = ItemDecoder {
            accept: options.route.accepts(media),
            key: options.key.as_ref(),
            received_at: now(),
            limits: &self.limits,
            only_user: options.only_user.as_ref(),
        };
        if media == MediaType::CloudEventData {
            let text = binary_mode::structured(headers, &body).map_err(ItemError::Invalid);
            let read = text.and_then(|text| reading.one(0, &text));
            return self.append_one(read).await;
        }
        match items::items(&body, media, &self.limits)? {
            Items::One(text) => self.append_one(reading.one(0, text)).await,
            Items::List(texts) => {
                admitted.hold(texts.len()).map_err(RequestError::from)?;
                let read = reading.all(&texts).await;
                if options.all_or_nothing {
                    refuse_if_any_is_invalid(&read)?;
                }
                self.append_list(read).await
            }
        }
    }

    async fn append_one(&self, read: Result<Item, ItemError>) -> Result<AppendResponse, Problem> {
        let item = read.map_err(|error| {
            metrics::invalid(1);
            error.problem("")
        })?;
        let outcome = self.append(&[&item.event]).await.pop();
        match outcome.unwrap_or(Err(AppendError::Unknown)) {
            Ok(position) => Ok(AppendResponse::one(&item, position, &self.links)),
            Err(error) => Err(errors::of_append(error, &item.event.id)),
        }
    }

    async fn append_list(
        &self,
        read: Vec<Result<Item, ItemError>>,
    ) -> Result<AppendResponse, Problem> {
        let events: Vec<&Event> = read.iter().flatten().map(|item| &item.event).collect();
        let outcomes = self.append(&events).await;
        metrics::invalid(read.len() - events.len());
        if outcomes.len() == read.len()
            && let Some(error) = all_certainly_failed(&outcomes)
        {
            return Err(errors::of_append_of_all(error, outcomes.len()));
        }
        let positions: Vec<Position> = outcomes.iter().copied().flatten().collect();
        let mut outcomes = outcomes.into_iter();
        let told = |(index, item): (usize, Result<Item, ItemError>)| match item {
            Ok(Item { event, .. }) => {
                let outcome = outcomes.next().unwrap_or(Err(AppendError::Unknown));
                ListItem::of(index, &event.id, outcome)
            }
            Err(error) => ListItem::invalid(index, error.problem(&format!("/{index}"))),
        };
        let items = read.into_iter().enumerate().map(told).collect();
        Ok(AppendResponse::list(items, &positions))
    }

    async fn append(&self, events: &[&Event]) -> Vec<Outcome> {
        let outcomes = self.log.append(events).await;
        metrics::outcomes(&outcomes);
        outcomes
    }
}

fn refuse_if_any_is_invalid(read: &[Result<Item, ItemError>]) -> Result<(), Problem> {
    let refused: Vec<(usize, &ItemError)> = read
        .iter()
        .enumerate()
        .filter_map(|(index, item)| Some((index, item.as_ref().err()?)))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    metrics::invalid(refused.len());
    Err(errors::of_all(&refused, read.len()))
}

/// The first error, if nothing was appended and that is certain: then the request can be repeated as a whole.
fn all_certainly_failed(outcomes: &[Outcome]) -> Option<AppendError> {
    use AppendError::{QueueFull, Undelivered};
    let certain = |outcome: &Outcome| matches!(outcome, Err(QueueFull | Undelivered(_)));
    let first = outcomes.first()?.err()?;
    outcomes.iter().all(certain).then_some(first)
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 would make every `time` of a caller refused, which says enough.
    let millis = since_epoch.unwrap_or_default().as_millis();
    Timestamp::EPOCH.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
