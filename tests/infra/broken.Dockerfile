FROM python
RUN true
