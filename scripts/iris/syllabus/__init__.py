"""The syllabus of iris: contents, distortions, teachers, labels, training."""
