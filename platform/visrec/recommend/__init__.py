"""A release at work: encoder, retriever, list builder and pipeline, without Ray or HTTP."""
