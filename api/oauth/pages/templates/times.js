// 时间按本人的时区显示 / times in the reader's own zone; without scripts the page says UTC
"use strict";
for (const each of document.querySelectorAll("time[datetime]")) {
  const at = new Date(each.dateTime);
  if (!Number.isNaN(at.getTime())) {
    each.title = each.textContent;
    each.textContent = at.toLocaleString(document.documentElement.lang, {
      year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
      second: "2-digit", hourCycle: "h23", timeZoneName: "short" });
  }
}
