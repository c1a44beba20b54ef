//! Handles one append request: body → items → events → one append → response. It must never respond before every record of the
//! request has its delivery report, or the delivery timeout has passed (invariant I1).

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use ess_schema::{Event, Position, Timestamp, UserId};

use crate::{
    admission::Admission,
    body::{
        binary_mode,
        items::{self, Items},
        media_type::{AppendRoute, MediaType},
        upload::Upload,
    },
    config::{LimitsConfig, LinksConfig},
    decode::{DecodedItem, ItemDecoder, ItemError, ids::IdempotencyKey},
    errors::{RequestError, item_problem},
    kafka::append::{Append, AppendError, Outcome},
    metrics,
    response::{AppendResponse, ListItem},
};

/// Handles the append requests of both routes.
pub(crate) struct AppendHandler {
    producer: Arc<dyn Append>,
    admission: Admission,
    limits: LimitsConfig,
    links: LinksConfig,
}

/// The parameters of a request beside its body.
#[derive(Debug, Clone)]
pub(crate) struct AppendOptions {
    pub(crate) route: AppendRoute,
    pub(crate) key: Option<IdempotencyKey>,
    /// Append nothing if any item is invalid.
    pub(crate) all_or_nothing: bool,
    /// The only user whose events the caller may append; any user if `None`.
    pub(crate) only_user: Option<UserId>,
}

impl AppendHandler {
    pub(crate) fn new(producer: Arc<dyn Append>, limits: LimitsConfig, links: LinksConfig) -> Self {
        Self {
            producer,
            admission: Admission::new(&limits),
            limits,
            links,
        }
    }

    /// Handles one request.
    ///
    /// # Errors
    /// [`RequestError`].
    pub(crate) async fn handle(
        &self,
        upload: Upload<'_>,
        options: &AppendOptions,
    ) -> Result<AppendResponse, RequestError> {
        let headers = upload.headers();
        let admitted = || {
            let media_type = options.route.media_type(headers)?;
            Ok((media_type, self.admission.admit()?))
        };
        let (media_type, mut permit) = match admitted() {
            Ok(admitted) => admitted,
            Err(error) => {
                upload.drain(&self.limits).await;
                return Err(error);
            }
        };
        let body = upload.read(&self.limits, &mut permit).await?;
        let decoder = ItemDecoder {
            accept: options.route.accepted_shapes(media_type),
            key: options.key.as_ref(),
            received_at: now(),
            limits: &self.limits,
            only_user: options.only_user.as_ref(),
        };
        if media_type == MediaType::CloudEventData {
            let text = binary_mode::to_structured(headers, &body).map_err(ItemError::Invalid);
            let item = text.and_then(|text| decoder.decode(0, &text));
            return self.append_one(item).await;
        }
        match items::split(&body, media_type, &self.limits)? {
            Items::One(text) => self.append_one(decoder.decode(0, text)).await,
            Items::List(texts) => {
                permit.reserve_items(texts.len())?;
                let items = decoder.decode_list(&texts).await;
                if options.all_or_nothing {
                    reject_if_any_is_invalid(&items)?;
                }
                self.append_list(items).await
            }
        }
    }

    async fn append_one(&self, item: DecodedItem) -> Result<AppendResponse, RequestError> {
        let item = item.map_err(|error| {
            metrics::count_invalid(1);
            RequestError::InvalidItem(error)
        })?;
        let outcome = self.append(&[&item.event]).await.pop();
        match outcome.unwrap_or(Err(AppendError::Unknown)) {
            Ok(position) => Ok(AppendResponse::one(&item, position, &self.links)),
            Err(error) => Err(RequestError::NotAppended {
                error,
                event_id: item.event.id,
            }),
        }
    }

    async fn append_list(&self, items: Vec<DecodedItem>) -> Result<AppendResponse, RequestError> {
        let events: Vec<&Event> = items.iter().flatten().map(|item| &item.event).collect();
        let outcomes = self.append(&events).await;
        let count = items.len();
        metrics::count_invalid(count - events.len());
        if outcomes.len() == count
            && let Some(error) = first_error_if_none_appended(&outcomes)
        {
            return Err(RequestError::NoneAppended { error, count });
        }
        let positions: Vec<Position> = outcomes.iter().copied().flatten().collect();
        let mut outcomes = outcomes.into_iter();
        let list_item = |(index, item): (usize, DecodedItem)| match item {
            Ok(item) => {
                let outcome = outcomes.next().unwrap_or(Err(AppendError::Unknown));
                ListItem::event(index, &item.event.id, outcome)
            }
            Err(error) => ListItem::invalid(index, item_problem(&error, &format!("/{index}"))),
        };
        let items = items.into_iter().enumerate().map(list_item).collect();
        Ok(AppendResponse::list(items, &positions))
    }

    async fn append(&self, events: &[&Event]) -> Vec<Outcome> {
        let outcomes = self.producer.append(events).await;
        metrics::count_outcomes(&outcomes);
        outcomes
    }
}

fn reject_if_any_is_invalid(items: &[DecodedItem]) -> Result<(), RequestError> {
    let invalid: Vec<(usize, &ItemError)> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| Some((index, item.as_ref().err()?)))
        .collect();
    if invalid.is_empty() {
        return Ok(());
    }
    metrics::count_invalid(invalid.len());
    Err(RequestError::invalid_items(&invalid, items.len()))
}

/// The first error, if certainly nothing was appended, so that the entire request can be repeated.
fn first_error_if_none_appended(outcomes: &[Outcome]) -> Option<AppendError> {
    use AppendError::{QueueFull, Undelivered};
    let certain = |outcome: &Outcome| matches!(outcome, Err(QueueFull | Undelivered(_)));
    let first = outcomes.first()?.err()?;
    outcomes.iter().all(certain).then_some(first)
}

fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    // With a clock before 1970, every `time` of a client is rejected as being in the future.
    let millis = since_epoch.unwrap_or_default().as_millis();
    Timestamp::EPOCH.plus_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
