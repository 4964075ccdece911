//! `/metrics` for the operator's collector: numbers of the relay and how much is open, as OpenMetrics. No name, key or
//! address is in it; the only label is a worker's number.

use std::fmt;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use sfu::counters::Counter;
use signaling::message::StorageState;

use crate::http::{App, host_of, is_local_name};
use crate::media::{Media, WorkerCounters};
use crate::outbox::Counts;

/// What the text is, by the crate that writes it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a collector on this machine.
pub(crate) fn router(app: App, media: Media) -> Router {
    let answer = async move |headers: HeaderMap, uri: Uri| {
        // A page in a browser on this machine may reach us by a name of its own (DNS rebinding).
        match host_of(&headers, &uri) {
            Some(host) if is_local_name(&host) => respond(&app, &media).await,
            Some(_) | None => StatusCode::MISDIRECTED_REQUEST.into_response(),
        }
    };
    Router::new().route("/metrics", get(answer))
}

async fn respond(app: &App, media: &Media) -> Response {
    let mails = match &app.outbox {
        // A store that is away says so itself.
        Some(outbox) => Some(outbox.counts().await.unwrap_or_default()),
        None => None,
    };
    let reading = Reading {
        workers: media.counters().await,
        calls: app.calls.live().await,
        records: app.records.running(),
        storage: app.store.state(),
        mails,
    };
    let mut registry = Registry::with_prefix("mortar");
    registry.register_collector(Box::new(reading));
    let mut body = String::new();
    match text::encode(&mut body, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS)], body).into_response(),
        // A `String` refuses nothing.
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What stands at the moment of asking.
#[derive(Debug)]
struct Reading {
    workers: Vec<WorkerCounters>,
    calls: usize,
    records: usize,
    storage: StorageState,
    /// Where mails are sent at all.
    mails: Option<Counts>,
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let of = |counters: fn(&WorkerCounters) -> Vec<Counter>| -> Vec<(usize, Vec<Counter>)> {
            self.workers.iter().map(|worker| (worker.number, counters(worker))).collect()
        };
        family(&mut encoder, "relay", &of(|worker| worker.relay.each().collect()))?;
        family(&mut encoder, "send", &of(|worker| worker.send.each().collect()))?;
        family(&mut encoder, "tcp", &of(|worker| worker.tcp.each().collect()))?;
        family(&mut encoder, "worker", &of(|worker| worker.turning.each().collect()))?;
        gauge(&mut encoder, "calls", "Calls with somebody in them.", self.calls)?;
        gauge(&mut encoder, "records", "Records in memory.", self.records)?;
        let is_ok = usize::from(self.storage == StorageState::Ok);
        gauge(&mut encoder, "storage_ok", "1 while what is typed can be stored.", is_ok)?;
        let Some(Counts { lag_s, sent, failed }) = self.mails else { return Ok(()) };
        let lag_s = usize::try_from(lag_s).unwrap_or(usize::MAX);
        let lag = "Age of the oldest mail that could have been sent.";
        gauge(&mut encoder, "outbox_lag_seconds", lag, lag_s)?;
        counter(&mut encoder, "outbox_sent", "Mails a mail server has taken.", sent)?;
        counter(&mut encoder, "outbox_failed", "Mails that were given up.", failed)
    }
}

/// The same counters of each worker, by its number: that of one that has stopped is not given to another.
fn family(
    encoder: &mut DescriptorEncoder<'_>,
    part: &str,
    workers: &[(usize, Vec<Counter>)],
) -> fmt::Result {
    let names = workers.first().into_iter().flat_map(|(_, counters)| counters);
    for (at, &Counter { name, help, .. }) in names.enumerate() {
        let name = format!("{part}_{name}");
        let mut metric =
            encoder.encode_descriptor(&name, help.trim(), None, MetricType::Counter)?;
        for (worker, counters) in workers {
            let value = counters.get(at).map_or(0, |counter| counter.value);
            let labels = [("worker", worker.to_string())];
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let help = help.trim_end_matches('.');
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    ConstCounter::new(value).encode(metric)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_keeps_its_number_when_another_has_stopped() {
        let worker = WorkerCounters { number: 1, ..WorkerCounters::default() };
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Reading {
            workers: vec![worker],
            calls: 0,
            records: 0,
            storage: StorageState::Ok,
            mails: None,
        }));
        let mut body = String::new();
        text::encode(&mut body, &registry).unwrap();
        assert!(body.contains("worker_panics_total{worker=\"1\"} 0"), "{body}");
        assert!(!body.contains("worker=\"0\""), "{body}");
    }
}
