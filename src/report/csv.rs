//! Report -> CSV (RFC 4180): the run over time, a row a point, columns as the JSON's `series` names them with their
//! units. What has no value is empty.

use csv::{Terminator, WriterBuilder};
use serde_json::Value;

use super::shape::Report;
use crate::metrics::Point;

pub fn csv(report: &Report) -> String {
    // A run that ended at once has no rows, but its columns all the same.
    let mut writer = WriterBuilder::new().has_headers(false).terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(columns()).expect("memory takes all of it");
    for point in &report.series {
        writer.serialize(point).expect("a point is a flat record of numbers");
    }
    let bytes = writer.into_inner().expect("memory takes all of it");
    String::from_utf8(bytes).expect("numbers and names are text")
}

fn columns() -> Vec<String> {
    match serde_json::to_value(Point::default()) {
        Ok(Value::Object(fields)) => fields.into_iter().map(|(name, _)| name).collect(),
        _ => unreachable!("a point is an object"),
    }
}
