//! The mouse: a click focuses, the wheel steps.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{App, Row};
use crate::tui::action::Effect;
use crate::tui::command::{Pane, Screen};
use crate::tui::layout::{self, Live};
use crate::tui::panels;

impl App {
    pub(super) fn mouse(&mut self, mouse: MouseEvent) -> Vec<Effect> {
        if !self.layers.is_empty() {
            return Vec::new();
        }
        let at = Position::new(mouse.column, mouse.row);
        if self.screen == Screen::Compare && mouse.kind == MouseEventKind::Down(MouseButton::Left) {
            let compare = layout::Compare::of(self.size, self.comparing.view, self.zoomed_view());
            self.comparing.view = compare.view_at(at).unwrap_or(self.comparing.view);
            return Vec::new();
        }
        let under = match self.screen {
            Screen::Live => Live::of(self.size, self.focus, self.zoomed_pane()).pane_at(at),
            _ => None,
        };
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at, under),
            MouseEventKind::ScrollDown => return self.wheel(at, under, 1),
            MouseEventKind::ScrollUp => return self.wheel(at, under, -1),
            _ => {}
        }
        Vec::new()
    }

    fn click(&mut self, at: Position, under: Option<(Pane, Rect)>) {
        let Some((pane, area)) = under else { return };
        self.focus = pane;
        if pane == Pane::Settings
            && let Some(Row::Setting(setting)) = self.row_at(at, area)
        {
            self.tuner.choose(&setting.id);
        }
    }

    /// Over a setting it steps that setting; elsewhere it moves the list.
    fn wheel(&mut self, at: Position, under: Option<(Pane, Rect)>, by: isize) -> Vec<Effect> {
        match under {
            Some((Pane::Settings, area)) => match self.row_at(at, area) {
                Some(Row::Setting(setting)) => {
                    self.tuner.choose(&setting.id);
                    return self.step(if by > 0 { -1 } else { 1 });
                }
                _ => self.tuner.select(by),
            },
            Some((Pane::Events, _)) => {
                self.focus = Pane::Events;
                self.travel(by);
            }
            Some(_) => {}
            None => self.travel(by),
        }
        Vec::new()
    }

    fn row_at(&self, at: Position, area: Rect) -> Option<Row> {
        panels::settings::row_at(self, at, area)
    }
}
