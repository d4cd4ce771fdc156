// Formats sizes, durations and problems.
export function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let step = 0;
  for (; bytes >= 1024 && step < units.length - 1; step += 1) bytes /= 1024;
  return `${bytes.toFixed(step ? 1 : 0)} ${units[step]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min`;
}

// The text of a problem+json body.
export function problem(body) {
  try {
    return JSON.parse(body).title;
  } catch {
    return "The upload failed. Try again.";
  }
}
