//! Pictures of a comparison, as SVG: bars by scenario, one for each server.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

/// Width and height in pixels.
const SIZE: (u32, u32) = (820, 380);
/// Of the servers, in their order: told apart by the colour-blind too (Okabe and Ito).
const COLOURS: [RGBColor; 3] =
    [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(120, 120, 120)];
/// Share of a scenario's width that its bars take.
const BARS: f64 = 0.8;

/// One figure of every server in every scenario.
#[derive(Debug)]
pub struct Chart {
    /// What it shows, with its unit and which way is better.
    pub title: &'static str,
    /// Names of the scenarios.
    pub scenarios: Vec<&'static str>,
    /// Each server's name with its value by scenario; one that did not run there has none.
    pub servers: Vec<(&'static str, Vec<Option<f64>>)>,
}

impl Chart {
    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.draw(&SVGBackend::new(path, SIZE).into_drawing_area())
            .map_err(|error| anyhow!("{}: {error}", path.display()))
    }

    fn draw<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        area.fill(&WHITE)?;
        let values = self.servers.iter().flat_map(|(_, values)| values.iter().flatten());
        let top = values.copied().fold(0.0, f64::max) * 1.15;
        let right = self.scenarios.len() as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 17))
            .margin(12)
            .x_label_area_size(28)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..right, 0.0..top.max(f64::MIN_POSITIVE))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .disable_x_axis()
            .light_line_style(TRANSPARENT)
            .y_label_style(("sans-serif", 13))
            .draw()?;
        let width = BARS / self.servers.len() as f64;
        for (at, (server, values)) in self.servers.iter().enumerate() {
            let colour = COLOURS[at % COLOURS.len()];
            let bars = values.iter().enumerate().filter_map(|(scenario, value)| {
                let left = scenario as f64 + (1.0 - BARS) / 2.0 + at as f64 * width;
                Some((left, (*value)?))
            });
            chart
                .draw_series(bars.clone().map(|(left, value)| {
                    Rectangle::new([(left, 0.0), (left + width, value)], colour.filled())
                }))?
                .label(*server)
                .legend(move |(x, y)| {
                    Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled())
                });
            chart.draw_series(bars.map(|(left, value)| {
                let words =
                    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.0}") };
                Text::new(words, (left, value + top * 0.05), ("sans-serif", 13))
            }))?;
        }
        for (at, name) in self.scenarios.iter().enumerate() {
            let left = at as f64 + (1.0 - BARS) / 2.0;
            let (x, y) = chart.plotting_area().map_coordinate(&(left, 0.0));
            area.draw(&Text::new(*name, (x, y + 10), ("sans-serif", 14)))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .label_font(("sans-serif", 14))
            .draw()?;
        area.present()
    }
}
